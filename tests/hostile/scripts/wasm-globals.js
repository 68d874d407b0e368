a=[];for(;;)a.push(new WebAssembly.Global({value:'externref',mutable:true},{}))
