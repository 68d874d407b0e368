// Answers once, and computes for good.
export default {
  fetch() {
    setTimeout(() => { for (;;); }, 10);
    return new Response('hello');
  },
};
