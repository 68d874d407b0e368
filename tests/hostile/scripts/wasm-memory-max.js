a=[];for(;;)try{a.push(new WebAssembly.Memory({initial:0,maximum:65536}))}catch{a.length=0}
