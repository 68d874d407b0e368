u=new Uint8Array(65536);for(;;)crypto.getRandomValues(u)
