b=new ArrayBuffer(0,{maxByteLength:2**24});for(let i=0;;i++)b.resize((i*65536)%2**24)
