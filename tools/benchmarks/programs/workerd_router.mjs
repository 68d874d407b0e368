// In front of many isolates in workerd: /3 is answered by the fourth of them, / by this one.
export default {
  async fetch(request, env) {
    const name = new URL(request.url).pathname.slice(1)
    return name === '' ? new Response('hello') : env[`isolate${name}`].fetch(request)
  },
}
