u=new BigInt64Array(1.5e6);for(;;)u.indexOf(1n)
