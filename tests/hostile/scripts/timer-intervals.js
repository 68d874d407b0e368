for(let i=0;i<1e5;i++)setInterval(()=>{},1)
