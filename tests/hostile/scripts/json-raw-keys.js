JSON.parse('{'+Array.from({length:1e6},(_,i)=>'"k'+i+'":1').join(',')+'}')
