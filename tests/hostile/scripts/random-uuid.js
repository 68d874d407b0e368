a=[];for(;;)a.push(crypto.randomUUID())
