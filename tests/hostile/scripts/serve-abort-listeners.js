export default {fetch(request) { for (;;) request.signal.addEventListener('abort', () => { for (;;); }) }}
