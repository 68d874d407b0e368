f=new FormData;for(let i=0;;i++)f.append('k'+i,'v'.repeat(1000))
