b=new ArrayBuffer(8e6);a=[];for(;;)a.push(b.slice(0))
