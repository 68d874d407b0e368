e=new Error('x');for(;;)e=new Error('y',{cause:e})
