// A task whose paths show one behaviour of the dispatch each. What each must answer is in ../exchanges.json.
// /events tells what happened behind the scenes (aborts, cancelled streams, settled promises), and forgets it.

const encoder = new TextEncoder();
const events = [];
const after = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const reused = new Response('only once');

const endless = (name) => new ReadableStream({
  async pull(controller) { controller.enqueue(new Uint8Array(65536)); await after(0); },
  cancel(reason) { events.push(`${name} cancelled: ${reason?.name ?? reason}`); },
});

const paths = {
  '/text': () => new Response('hello'),
  '/bytes': () => new Response(encoder.encode('hello')),
  '/empty': () => new Response(null, { status: 204 }),
  '/async': async () => { await after(1); return new Response('later', { status: 202, statusText: 'Fine', headers: { 'X-A': 'b' } }); },
  '/cookies': () => new Response('', { headers: [['set-cookie', 'a=1'], ['set-cookie', 'b=2']] }),
  '/json': (request, env) => Response.json({ env, url: request.url, method: request.method, agent: request.headers.get('x-agent') }),
  '/echo': (request) => new Response(request.body, { headers: { 'content-type': request.headers.get('content-type') ?? '' } }),
  '/read': async (request) => new Response(await request.text()),
  '/form': async (request) => Response.json([...(await request.formData())]),
  '/ignore': () => new Response('not read'),
  '/stream': () => new Response(ReadableStream.from(['a', 'b', 'c'].map((text) => encoder.encode(text)))),
  '/large': () => new Response(new ReadableStream({
    count: 0,
    pull(controller) {
      if (this.count++ === 4) controller.close();
      else controller.enqueue(new Uint8Array(200_000).fill(120));
    },
  })),
  '/transformed': (request) => new Response(request.body.pipeThrough(new TransformStream({
    transform(part, controller) { controller.enqueue(part.map((byte) => byte ^ 32)); },
  }))),
  '/proxied': async () => { const inner = new Response('inner', { headers: { a: 'b' } }); const outer = new Response(inner.body, inner); outer.headers.set('c', 'd'); return outer; },
  '/throws': () => { throw new RangeError('thrown on purpose'); },
  '/rejects': async () => { throw new RangeError('rejected on purpose'); },
  '/throws-null': () => { throw null; },
  '/change-headers': (request) => { request.headers.set('a', 'b'); },
  '/copy-headers': (request) => { const copy = new Request(request, { headers: request.headers }); copy.headers.set('a', 'b'); return new Response(copy.headers.get('a')); },
  '/redirect-mode': (request) => new Response(`${request.redirect} ${request.signal.aborted} ${request.url}`),
  '/nothing': () => undefined,
  '/wrong': () => ({ status: 200 }),
  '/wrong-string': async () => 'text',
  '/network-error': () => Response.error(),
  '/reused': () => reused,
  '/stream-error': () => new Response(new ReadableStream({
    start(controller) { controller.enqueue(encoder.encode('begun')); },
    async pull(controller) { await after(5); controller.error(new RangeError('broken stream')); },
  })),
  '/stream-of-text': () => new Response(new ReadableStream({ start(controller) { controller.enqueue('text'); controller.close(); } })),
  '/wait-until': (request, env, { waitUntil, passThroughOnException }) => {
    passThroughOnException();
    waitUntil(after(5).then(() => events.push('waited')));
    waitUntil(Promise.reject(new RangeError('background')));
    return new Response('at once');
  },
  '/endless': () => new Response(endless('/endless')),
  '/never': (request) => { request.signal.addEventListener('abort', () => events.push(`/never aborted: ${request.signal.reason.name}`)); return new Promise(() => {}); },
  '/slow': async (request) => { for (let n = 0; n < 400 && !request.signal.aborted; n++) await after(50); events.push(`/slow aborted: ${request.signal.aborted}`); return new Response(endless('/slow')); },
  '/events': () => Response.json(events.splice(0)),
};

export default {
  fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    const answer = paths[pathname];
    return answer === undefined ? new Response('no such path', { status: 404 }) : answer(request, env, ctx);
  },
};
