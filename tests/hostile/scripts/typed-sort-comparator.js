u=new Float64Array(1e6).map(Math.random);for(;;)u.sort((a,b)=>b-a||Math.random())
