b=new Uint8Array(1.5e7);b.set([0,97,115,109,1,0,0,0]);for(;;)WebAssembly.validate(b)
