s=new ReadableStream({pull(c){c.enqueue(new Uint8Array(1e6))}},{highWaterMark:Infinity});await new Promise(()=>{})
