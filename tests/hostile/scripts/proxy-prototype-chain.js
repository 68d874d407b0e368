p={};for(let i=0;i<1e5;i++)p=Object.create(new Proxy(p,{}));'x' in p
