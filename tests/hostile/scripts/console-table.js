console.table(Array.from({length:1e5},(_,i)=>({a:i,b:'x'.repeat(100)})))
