s=new ReadableStream({pull(c){c.enqueue('x'.repeat(1e4))}});for(;;)[s]=s.tee()
