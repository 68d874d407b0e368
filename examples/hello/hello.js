export default {
  fetch(request) {
    return new Response('Hello from an isolate\n');
  },
};
