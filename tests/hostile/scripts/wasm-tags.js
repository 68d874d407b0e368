a=[];for(;;)a.push(new WebAssembly.Tag({parameters:Array(1000).fill('i32')}))
