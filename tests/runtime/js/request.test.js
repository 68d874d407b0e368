import { bytes, equal, ok, rejects, same, suite, test, throws } from './harness.js';

export default suite;

const URL_A = 'https://example.com/a?b=c';

test('defaults', () => {
  const request = new Request(URL_A);
  same([request.method, request.url, request.redirect, request.credentials, request.mode, request.cache, request.referrer, request.integrity,
    request.keepalive, request.destination, request.referrerPolicy, request.body, request.bodyUsed, request.duplex],
  ['GET', URL_A, 'follow', 'same-origin', 'cors', 'default', 'about:client', '', false, '', '', null, false, 'half']);
});

test('the URL is normalised', () => {
  equal(new Request('HTTP://EXAMPLE.com:80/a/../b ').url, 'http://example.com/b');
  equal(new Request(new URL(URL_A)).url, URL_A);
  equal(new Request('https://example.com/#x').url, 'https://example.com/#x');
  throws(() => new Request('/relative'), TypeError);
  throws(() => new Request(''), TypeError);
  throws(() => new Request('https://user:secret@example.com/'), TypeError);
  throws(() => new Request(), TypeError);
});

test('methods', () => {
  equal(new Request(URL_A, { method: 'post' }).method, 'POST');
  equal(new Request(URL_A, { method: 'patch' }).method, 'patch');
  equal(new Request(URL_A, { method: 'PURGE' }).method, 'PURGE');
  for (const method of ['', 'a b', 'TRACE', 'connect', 'Track', 'é']) throws(() => new Request(URL_A, { method }), TypeError);
});

test('GET and HEAD refuse a body', () => {
  throws(() => new Request(URL_A, { body: '' }), TypeError);
  throws(() => new Request(URL_A, { method: 'HEAD', body: 'x' }), TypeError);
  equal(new Request(URL_A, { body: null }).body, null);
  throws(() => new Request(new Request(URL_A, { method: 'POST', body: 'x' }), { method: 'GET' }), TypeError);
});

test('body and content type', async () => {
  const request = new Request(URL_A, { method: 'POST', body: 'abc' });
  equal(request.headers.get('content-type'), 'text/plain;charset=UTF-8');
  equal(await request.text(), 'abc');
  equal(request.bodyUsed, true);
  await rejects(request.text(), TypeError);
  const own = new Request(URL_A, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } });
  equal(own.headers.get('content-type'), 'application/json');
  same(await own.json(), {});
});

test('made from another request, which gives its body away', async () => {
  const first = new Request(URL_A, { method: 'PUT', body: 'abc', headers: { a: 'b' }, redirect: 'manual', cache: 'no-store' });
  const second = new Request(first);
  same([second.method, second.url, second.headers.get('a'), second.redirect, second.cache], ['PUT', URL_A, 'b', 'manual', 'no-store']);
  equal(first.bodyUsed, true);
  equal(await second.text(), 'abc');
  throws(() => new Request(second), TypeError);
});

test('init overrules the other request, whose body stays', async () => {
  const first = new Request(URL_A, { method: 'PUT', body: 'abc', headers: { a: 'b' } });
  const second = new Request(first, { body: 'def', headers: { c: 'd' } });
  same([...second.headers], [['c', 'd'], ['content-type', 'text/plain;charset=UTF-8']]);
  equal(await second.text(), 'def');
  equal(await first.text(), 'abc');
});

test('another request as init: its URL changes, nothing else', async () => {
  const first = new Request(URL_A, { method: 'POST', body: 'abc', headers: { a: 'b' } });
  const second = new Request('https://example.org/', first);
  same([second.url, second.method, second.headers.get('a')], ['https://example.org/', 'POST', 'b']);
  equal(await second.text(), 'abc');
});

test('a stream as body, with or without duplex', async () => {
  const stream = () => new Blob(['abc']).stream();
  equal(await new Request(URL_A, { method: 'POST', body: stream(), duplex: 'half' }).text(), 'abc');
  const used = stream();
  await used.cancel();
  throws(() => new Request(URL_A, { method: 'POST', body: used }), TypeError);
  const locked = stream();
  locked.getReader();
  throws(() => new Request(URL_A, { method: 'POST', body: locked }), TypeError);
});

test('clone', async () => {
  const request = new Request(URL_A, { method: 'POST', body: bytes(1, 2), headers: { a: 'b' } });
  const copy = request.clone();
  copy.headers.set('a', 'c');
  equal(request.headers.get('a'), 'b');
  same([...(await copy.bytes())], [1, 2]);
  same([...(await request.bytes())], [1, 2]);
  throws(() => request.clone(), TypeError);
});

test('signals are followed, not shared', () => {
  const controller = new AbortController();
  const request = new Request(URL_A, { signal: controller.signal });
  const copy = request.clone();
  const derived = new Request(request);
  ok(request.signal !== controller.signal, 'own signal');
  equal(request.signal, request.signal);
  controller.abort('why');
  same([request.signal.reason, copy.signal.reason, derived.signal.reason], ['why', 'why', 'why']);
  equal(new Request(request, { signal: null }).signal.aborted, false);
  equal(new Request(URL_A).signal.aborted, false);
  throws(() => new Request(URL_A, { signal: {} }), TypeError);
  throws(() => new Request(URL_A, { signal: 1 }), TypeError);
});

test('enumerations are checked', () => {
  for (const name of ['mode', 'credentials', 'cache', 'redirect', 'referrerPolicy']) {
    const error = throws(() => new Request(URL_A, { [name]: 'nonsense' }), TypeError);
    ok(error.message.includes(name) && error.message.includes('nonsense'), error.message);
  }
  throws(() => new Request(URL_A, { mode: 'navigate' }), TypeError);
  throws(() => new Request(URL_A, { window: 1 }), TypeError);
  throws(() => new Request(URL_A, 1), TypeError);
});

test('the class looks as Web IDL says', () => {
  equal(Request.length, 1);
  equal(Object.prototype.toString.call(new Request(URL_A)), '[object Request]');
  throws(() => Request(URL_A), TypeError);
  throws(() => Request.prototype.url, TypeError);
});
