o={};for(let i=0;i<40;i++)o={a:o,b:o,c:'x'.repeat(100)};JSON.stringify(o)
