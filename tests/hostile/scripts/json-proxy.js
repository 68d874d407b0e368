JSON.stringify(new Proxy([],{get:(t,k)=>k==='length'?2**32:k==='toJSON'?undefined:1}))
