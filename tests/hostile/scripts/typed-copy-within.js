u=new Uint8Array(1.5e7);for(;;)u.copyWithin(1,0)
