export default {fetch(request, env, context) { context.waitUntil(new Promise(() => {})); return new Response('now') }}
