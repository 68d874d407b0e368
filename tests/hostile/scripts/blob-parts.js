b=new Blob(['x'.repeat(1e6)]);for(;;)b=new Blob([b,b])
