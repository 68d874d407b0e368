// A tenant in workerd: /go runs what is appended here as a function.
export default {
  fetch(request) {
    if (new URL(request.url).pathname === '/go') run()
    return new Response('hello')
  },
}
