for(;;)'ab'.repeat(1e6).replace(/a/g,x=>x+x)
