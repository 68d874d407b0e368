export default {fetch() { setTimeout(() => { for (;;); }); return new Response('ok') }}
