export default {fetch: () => new Response(new ReadableStream({start(c) { for (;;) c.enqueue(new Uint8Array(65536)) }}))}
