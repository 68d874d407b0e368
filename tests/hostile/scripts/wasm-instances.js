m=new WebAssembly.Module(new Uint8Array([0,97,115,109,1,0,0,0,5,3,1,0,1]));a=[];for(;;)a.push(new WebAssembly.Instance(m))
