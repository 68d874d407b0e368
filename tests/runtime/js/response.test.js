import { bytes, equal, ok, rejects, same, suite, test, throws } from './harness.js';

export default suite;

test('defaults', async () => {
  const response = new Response();
  same([response.status, response.statusText, response.ok, response.type, response.url, response.redirected, response.body, response.bodyUsed],
    [200, '', true, 'default', '', false, null, false]);
  equal(await response.text(), '');
  same([...response.headers], []);
});

test('the content type follows the body', () => {
  const typeOf = (body) => new Response(body).headers.get('content-type');
  equal(typeOf('x'), 'text/plain;charset=UTF-8');
  equal(typeOf(new URLSearchParams('a=b')), 'application/x-www-form-urlencoded;charset=UTF-8');
  equal(typeOf(new Blob(['x'], { type: 'Image/PNG' })), 'image/png');
  equal(typeOf(new Blob(['x'])), null);
  equal(typeOf(bytes(1)), null);
  equal(typeOf(new ArrayBuffer(1)), null);
  equal(typeOf(new ReadableStream()), null);
  ok(/^multipart\/form-data; boundary=.+/.test(typeOf(new FormData())));
  equal(typeOf(42), 'text/plain;charset=UTF-8');
});

test('an own content type wins', () => {
  equal(new Response('x', { headers: { 'Content-Type': 'text/html' } }).headers.get('content-type'), 'text/html');
  equal(new Response('x', { headers: [['content-type', '']] }).headers.get('content-type'), '');
});

test('status is checked', () => {
  for (const status of [0, 100, 199, 600, 1000, -1, 'x', NaN]) throws(() => new Response('', { status }), RangeError);
  equal(new Response('', { status: 599 }).status, 599);
  equal(new Response('', { status: '404' }).status, 404);
  equal(new Response('', { status: 404 }).ok, false);
});

test('statusText is checked', () => {
  equal(new Response('', { statusText: 'Fine é\t' }).statusText, 'Fine é\t');
  for (const statusText of ['\n', 'a\r', '\0', '€']) throws(() => new Response('', { statusText }), TypeError);
});

test('null-body statuses refuse a body', () => {
  for (const status of [204, 205, 304]) {
    throws(() => new Response('', { status }), TypeError);
    equal(new Response(null, { status }).status, status);
    equal(new Response(undefined, { status }).body, null);
  }
});

test('Response.json', async () => {
  const response = Response.json({ a: [1] }, { status: 201, headers: { 'x-a': 'b' } });
  equal(response.headers.get('content-type'), 'application/json');
  equal(response.headers.get('x-a'), 'b');
  equal(response.status, 201);
  same(await response.json(), { a: [1] });
  equal(Response.json(1, { headers: { 'content-type': 'x/y' } }).headers.get('content-type'), 'x/y');
  equal(Response.json(null).headers.get('content-type'), 'application/json');
  throws(() => Response.json(undefined), TypeError);
  throws(() => Response.json(() => 1), TypeError);
  throws(() => Response.json(1n), TypeError);
  throws(() => Response.json({}, { status: 204 }), TypeError);
});

test('Response.error', () => {
  const response = Response.error();
  same([response.type, response.status, response.body], ['error', 0, null]);
  throws(() => response.headers.set('a', 'b'), TypeError);
});

test('Response.redirect', () => {
  const response = Response.redirect('https://example.com/ä', 308);
  equal(response.status, 308);
  equal(response.headers.get('location'), 'https://example.com/%C3%A4');
  equal(Response.redirect('https://example.com').status, 302);
  throws(() => response.headers.set('a', 'b'), TypeError);
  throws(() => Response.redirect('https://example.com', 200), RangeError);
  throws(() => Response.redirect('/relative'), TypeError);
});

test('clone shares nothing', async () => {
  const response = new Response('abc', { status: 201, statusText: 'x', headers: { a: 'b' } });
  const copy = response.clone();
  copy.headers.set('a', 'c');
  equal(response.headers.get('a'), 'b');
  same([copy.status, copy.statusText], [201, 'x']);
  equal(await response.text(), 'abc');
  equal(copy.bodyUsed, false);
  equal(await copy.text(), 'abc');
  throws(() => copy.clone(), TypeError);
});

test('clones of bytes do not share memory', async () => {
  const response = new Response(bytes(1, 2));
  const copy = response.clone();
  new Uint8Array(await response.arrayBuffer())[0] = 9;
  same([...(await copy.bytes())], [1, 2]);
});

test('clone of a stream reads the same twice', async () => {
  const response = new Response(new Blob(['abc']).stream());
  const copy = response.clone();
  equal(await copy.text(), 'abc');
  equal(await response.text(), 'abc');
});

test('another response as init', async () => {
  const first = new Response('abc', { status: 201, headers: { a: 'b' } });
  const second = new Response(first.body, first);
  second.headers.set('c', 'd');
  same([second.status, second.headers.get('a'), second.headers.get('content-type')], [201, 'b', 'text/plain;charset=UTF-8']);
  equal(await second.text(), 'abc');
  equal(first.bodyUsed, true);
  await rejects(first.text(), TypeError);
});

test('wrong init values', () => {
  throws(() => new Response('', 1), TypeError);
  throws(() => Response(''), TypeError);
  throws(() => new Response('', { headers: 1 }), TypeError);
  throws(() => Response.prototype.status, TypeError);
  throws(() => Response.prototype.clone.call({}), TypeError);
});

test('the class looks as Web IDL says', () => {
  equal(Response.length, 0);
  equal(Object.prototype.toString.call(new Response()), '[object Response]');
  for (const name of ['json', 'text', 'body', 'clone', 'status']) ok(Object.keys(Response.prototype).includes(name), name);
  ok(Object.keys(Response).includes('json'), 'static json');
});
