a=new Array(2e5).fill(0);for(;;)a.unshift(1,2,3)
