i=new Int32Array(new SharedArrayBuffer(4));a=[];for(;;)a.push(Atomics.waitAsync(i,0,0,1e6).value)
