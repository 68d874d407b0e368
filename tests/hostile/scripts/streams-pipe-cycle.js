t=new TransformStream({transform(x,c){c.enqueue(x);c.enqueue(x)}},{highWaterMark:1e9},{highWaterMark:1e9});w=t.writable.getWriter();for(;;)w.write({})
