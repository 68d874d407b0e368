export default {fetch(request) { request.signal.addEventListener('abort', () => { for (;;); }); return new Promise(() => {}) }}
