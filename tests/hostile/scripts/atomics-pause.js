i=new Int32Array(new SharedArrayBuffer(4));for(;;)Atomics.add(i,0,1)
