r=new FinalizationRegistry(()=>{for(;;);});(function f(){for(let i=0;i<1e4;i++)r.register({},i);setTimeout(f,0)})()
