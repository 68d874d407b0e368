u=new Uint8Array(8e6);for(;;)u.fill(1)
