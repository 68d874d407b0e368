export default {fetch: () => new Response(new Uint8Array(1.2e7))}
