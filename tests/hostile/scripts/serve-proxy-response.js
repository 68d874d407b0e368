export default {fetch: () => new Proxy(new Response('x'), {get() { for (;;); }})}
