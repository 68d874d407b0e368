a=[];for(;;)a.push(new ArrayBuffer(64))
