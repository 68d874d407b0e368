h=new Headers;for(;;)h.append('x','y'.repeat(1e5))
