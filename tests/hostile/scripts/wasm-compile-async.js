b=new Uint8Array([0,97,115,109,1,0,0,0]);a=[];for(;;)a.push(WebAssembly.compile(b))
