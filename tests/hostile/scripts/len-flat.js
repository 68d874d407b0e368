let o=[];o[0]={length:2**53-1};Array.prototype.flat.call({length:2**53-1,0:o})
