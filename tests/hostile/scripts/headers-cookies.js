h=new Headers;for(;;)h.append('set-cookie','a='+'b'.repeat(1e4))
