s=new Set(Array(1e5).keys());a=[];for(;;)a.push(s.union(new Set([{}])))
