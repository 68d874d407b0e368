const encoder = new TextEncoder();

export default {
  async fetch(request) {
    const { pathname } = new URL(request.url);
    switch (`${request.method} ${pathname}`) {
      case 'GET /clock': return clock(request.signal);
      case 'POST /echo': return new Response(request.body); // as it comes in, so it goes out
      case 'POST /upper': return new Response(request.body.pipeThrough(new TextDecoderStream()).pipeThrough(upper()));
      case 'POST /count': return Response.json({ bytes: await count(request.body) });
      default: return new Response('Try GET /clock, POST /echo, POST /upper, POST /count\n', { status: 404 });
    }
  },
};

// Five ticks as server-sent events; stops when the client goes.
function clock(signal) {
  let ticks = 0;
  let timer;
  const body = new ReadableStream({
    start(controller) {
      signal.addEventListener('abort', () => {
        clearInterval(timer);
        console.log('the client went after %d ticks', ticks);
      });
      timer = setInterval(() => {
        controller.enqueue(encoder.encode(`data: ${new Date().toISOString()}\n\n`));
        if (++ticks < 5) return;
        clearInterval(timer);
        controller.close();
      }, 200);
    },
    cancel() {
      clearInterval(timer);
    },
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

function upper() {
  return new TransformStream({
    transform(text, controller) {
      controller.enqueue(encoder.encode(text.toUpperCase()));
    },
  });
}

// Reads without keeping: the client is slowed down to the pace of the loop.
async function count(body) {
  let bytes = 0;
  for await (const part of body ?? []) bytes += part.byteLength;
  return bytes;
}
