m=new Map;for(let i=0;i<1e6;i++)m.set({i},m);for(;;)structuredClone(m)
