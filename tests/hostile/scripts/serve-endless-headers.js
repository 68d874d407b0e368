export default {fetch() { const r = new Response(''); for (let i = 0;; i++) r.headers.append('k' + i, 'v'.repeat(1000)) }}
