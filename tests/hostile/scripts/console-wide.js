console.log(Array.from({length:1e6},(_,i)=>({i,j:{k:[i]}})))
