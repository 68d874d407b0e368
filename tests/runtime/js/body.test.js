import { bytes, equal, ok, rejects, same, suite, test, throws, utf8 } from './harness.js';

export default suite;

const BODIES = {
  string: () => 'a€\u{1f600}',
  bytes: () => utf8('a€\u{1f600}'),
  buffer: () => utf8('a€\u{1f600}').buffer,
  view: () => new DataView(utf8('xxa€\u{1f600}').buffer, 2),
  blob: () => new Blob(['a€', '\u{1f600}']),
  stream: () => new Blob(['a€\u{1f600}']).stream(),
  'async iterable': async function* () { yield utf8('a€'); yield utf8('\u{1f600}'); },
};

for (const [kind, make] of Object.entries(BODIES)) {
  const response = () => new Response(make());
  test(`${kind}: text, bytes, arrayBuffer, blob`, async () => {
    equal(await response().text(), 'a€\u{1f600}');
    same([...(await response().bytes())], [...utf8('a€\u{1f600}')]);
    const buffer = await response().arrayBuffer();
    ok(buffer instanceof ArrayBuffer && buffer.byteLength === 8, 'buffer');
    equal(await (await response().blob()).text(), 'a€\u{1f600}');
  });
  test(`${kind}: body is a stream that says whether it was read`, async () => {
    const one = response();
    equal(one.bodyUsed, false);
    const stream = one.body;
    ok(stream instanceof ReadableStream, 'stream');
    equal(one.body, stream);
    equal(one.bodyUsed, false);
    const reader = stream.getReader();
    await rejects(one.text(), TypeError);
    const parts = [];
    for (let result = await reader.read(); !result.done; result = await reader.read()) parts.push(...result.value);
    equal(one.bodyUsed, true);
    same(parts, [...utf8('a€\u{1f600}')]);
  });
  test(`${kind}: reading after .body was looked at`, async () => {
    const one = response();
    ok(one.body !== null, 'body');
    equal(await one.text(), 'a€\u{1f600}');
    equal(one.bodyUsed, true);
    await rejects(one.text(), TypeError);
  });
  test(`${kind}: passed on through another response`, async () => {
    const one = response();
    const two = new Response(one.body);
    equal(await two.text(), 'a€\u{1f600}');
    equal(one.bodyUsed, true);
    throws(() => new Response(one.body), TypeError);
  });
}

test('a used body has a stream that is closed', async () => {
  const one = new Response('x');
  await one.text();
  equal(one.bodyUsed, true);
  same(await one.body.getReader().read().then(({ done }) => done), true);
});

test('empty bodies', async () => {
  equal((await new Response('').body.getReader().read()).done, true);
  equal((await new Response(bytes()).arrayBuffer()).byteLength, 0);
  await rejects(new Response('').json(), SyntaxError);
  equal(await new Response(new ReadableStream({ start: (controller) => controller.close() })).text(), '');
});

test('reading twice fails, an empty response may be read again', async () => {
  const none = new Response();
  equal(await none.text(), '');
  equal(await none.text(), '');
  equal(none.bodyUsed, false);
  const empty = new Response('');
  await empty.text();
  await rejects(empty.text(), TypeError);
});

test('bytes are copied when given', async () => {
  const source = bytes(1, 2, 3);
  const one = new Response(source);
  source[0] = 9;
  same([...(await one.bytes())], [1, 2, 3]);
});

test('a byte order mark is not part of the text', async () => {
  equal(await new Response('\ufeffa').text(), 'a');
  equal(await new Response(utf8('\ufeffa')).text(), 'a');
  same(await new Response('\ufeff[1]').json(), [1]);
  equal((await new Response('\ufeffa').bytes()).byteLength, 4);
});

test('lone surrogates and bad UTF-8 become U+FFFD', async () => {
  equal(await new Response('a\ud800b').text(), 'a\ufffdb');
  equal(await new Response(bytes(0x61, 0xff)).text(), 'a\ufffd');
});

test('json', async () => {
  same(await new Response('{"a":[1,null]}').json(), { a: [1, null] });
  const error = await rejects(new Response('{').json(), SyntaxError);
  ok(error.message.length > 0, 'message');
});

test('a blob takes the content type along', async () => {
  const blob = await new Response('x', { headers: { 'content-type': 'Text/HTML' } }).blob();
  equal(blob.type, 'text/html');
});

test('methods called on something else reject', async () => {
  await rejects(Response.prototype.text.call({}), TypeError);
  await rejects(Request.prototype.json.call(new Response('1')), TypeError);
});

test('a stream with chunks that are not bytes cannot be read as a body', async () => {
  const stream = new ReadableStream({ start(controller) { controller.enqueue('text'); controller.close(); } });
  await rejects(new Response(stream).text(), TypeError);
});

test('an error in the stream comes out of the method', async () => {
  const stream = new ReadableStream({ pull(controller) { controller.error(new RangeError('broken')); } });
  await rejects(new Response(stream).text(), RangeError);
});

test('BYOB readers work on bodies', async () => {
  const reader = new Response('abc').body.getReader({ mode: 'byob' });
  const first = await reader.read(new Uint8Array(2));
  same([...first.value], [97, 98]);
  const second = await reader.read(new Uint8Array(2));
  same([...second.value], [99]);
  equal((await reader.read(new Uint8Array(2))).done, true);
});
