o={};for(let i=0;i<2e6;i++)o=Object.create(o);for(;;)o.missing
