export default {fetch() { setInterval(() => { const until = Date.now() + 5; while (Date.now() < until); }, 0); return new Response('ok') }}
