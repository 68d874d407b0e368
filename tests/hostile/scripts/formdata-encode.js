f=new FormData;for(let i=0;i<1e4;i++)f.append('k'.repeat(100)+i,'v'.repeat(1000));for(;;)await new Response(f).text()
