export default {fetch(request, env, context) { context.waitUntil((async () => { for (;;) await 0 })()); return new Response('now') }}
