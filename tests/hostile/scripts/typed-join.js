u=new Float64Array(1.9e6).fill(Math.PI);for(;;)u.join()
