for(let i=0;i<1e6;i++)import('./main.js?'+i).catch(()=>{})
