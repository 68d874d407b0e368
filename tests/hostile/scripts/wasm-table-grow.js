t=new WebAssembly.Table({initial:1,element:'anyfunc'});for(;;)t.grow(1e5)
