export default {fetch(request, env, context) { for (;;) context.waitUntil(new Promise(() => {})) }}
