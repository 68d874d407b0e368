s=new ReadableStream({pull(c){for(;;)c.enqueue('x')}});await s.getReader().read()
