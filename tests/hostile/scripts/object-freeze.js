a=[];for(;;){let o={};for(let i=0;i<2000;i++)o['p'+i]=i;a.push(Object.freeze(o))}
