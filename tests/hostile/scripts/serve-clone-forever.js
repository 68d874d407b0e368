export default {async fetch(request) { let r = new Response(new ReadableStream({pull(c) { c.enqueue(new Uint8Array(1e4)) }})); for (;;) r.clone() && (r = r.clone()) }}
