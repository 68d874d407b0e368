export default {async fetch() { const [a, b] = new ReadableStream({pull(c) { c.enqueue(new Uint8Array(1e5)) }}).tee(); for await (const x of a); return new Response(b) }}
