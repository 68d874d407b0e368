// Starts isolates in workerd: the program of each comes through the workerLoader binding under a name of its own, so
// each request to / makes a new one and passes on its first answer. /plain is the same way without an isolate.
const program = `export default { fetch() { return new Response('hello') } }`
let made = 0

export default {
  async fetch(request, env) {
    if (new URL(request.url).pathname === '/plain') return new Response('hello')
    const isolate = env.LOADER.get(`isolate-${made++}`, () => ({
      compatibilityDate: '2026-01-01',
      mainModule: 'main.js', // names that end otherwise are refused
      modules: { 'main.js': program },
      globalOutbound: null,
    }))
    return isolate.getEntrypoint().fetch('http://isolate/')
  },
}
