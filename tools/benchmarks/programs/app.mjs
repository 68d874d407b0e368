// The handler that isolated, workerd and Deno run unchanged: hello, and an echo of the whole body.
export default {
  async fetch(request) {
    if (request.method === 'POST') return new Response(await request.arrayBuffer())
    return new Response('hello')
  },
}
