export default {fetch: () => new Response(new ReadableStream({pull: (c) => new Promise((done) => setTimeout(() => { c.enqueue(new Uint8Array(1)); done() }, 10))}))}
