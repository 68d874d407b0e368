u=new Float64Array(1e6);for(;;)u.set(u.subarray(0,999999),1)
