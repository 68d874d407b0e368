Array.prototype.every.call(new Proxy({},{get:(t,k)=>k==='length'?2**53-1:1,has:()=>true}),()=>true)
