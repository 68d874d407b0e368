import { bytes, equal, ok, rejects, same, suite, test, throws, turn, utf8 } from './harness.js';

export default suite;

async function collect(stream) {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

const numbers = (...values) => new ReadableStream({ start(controller) { values.forEach((value) => controller.enqueue(value)); controller.close(); } });

test('async iteration reads all and releases', async () => {
  same(await collect(numbers(1, 2, 3)), [1, 2, 3]);
});

test('leaving the loop cancels', async () => {
  let reason = 'none';
  const stream = new ReadableStream({ pull(controller) { controller.enqueue(1); }, cancel(why) { reason = why; } });
  for await (const part of stream) { ok(part, 'part'); break; }
  equal(reason, undefined);
});

test('ReadableStream.from', async () => {
  same(await collect(ReadableStream.from([1, Promise.resolve(2)])), [1, 2]);
  same(await collect(ReadableStream.from('ab')), ['a', 'b']);
  let closed = false;
  const stream = ReadableStream.from((async function* () { try { yield 1; yield 2; } finally { closed = true; } })());
  const reader = stream.getReader();
  same(await reader.read(), { value: 1, done: false });
  await reader.cancel();
  ok(closed, 'closed');
  throws(() => ReadableStream.from(5), TypeError);
  throws(() => ReadableStream.from({}), TypeError);
  throws(() => ReadableStream.from(), TypeError);
  await rejects(collect(ReadableStream.from((async function* () { throw new RangeError('x'); })())), RangeError);
});

test('pipeThrough a transform', async () => {
  const double = new TransformStream({ transform(chunk, controller) { controller.enqueue(chunk * 2); }, flush(controller) { controller.enqueue('end'); } });
  same(await collect(numbers(1, 2).pipeThrough(double)), [2, 4, 'end']);
});

test('pipeTo writes, closes, and can be aborted', async () => {
  const seen = [];
  await numbers(1, 2).pipeTo(new WritableStream({ write(chunk) { seen.push(chunk); }, close() { seen.push('closed'); } }));
  same(seen, [1, 2, 'closed']);
  await rejects(numbers(1).pipeTo(new WritableStream(), { signal: AbortSignal.abort() }), 'AbortError');
});

test('a sink gets a signal', async () => {
  let signal;
  const stream = new WritableStream({ start(controller) { signal = controller.signal; } });
  ok(signal instanceof AbortSignal, 'signal');
  await stream.abort('why');
  equal(signal.aborted, true);
});

test('back-pressure: pull is asked once per free place', async () => {
  let pulls = 0;
  const stream = new ReadableStream({ pull(controller) { controller.enqueue(++pulls); } }, { highWaterMark: 3 });
  await turn();
  equal(pulls, 3);
  await stream.getReader().read();
  await turn();
  equal(pulls, 4);
});

test('tee', async () => {
  const [one, two] = numbers(1, 2).tee();
  same([await collect(one), await collect(two)], [[1, 2], [1, 2]]);
});

test('byte streams and BYOB readers', async () => {
  const stream = new ReadableStream({ type: 'bytes', pull(controller) { controller.enqueue(bytes(1, 2, 3)); controller.close(); } });
  const reader = stream.getReader({ mode: 'byob' });
  same([...(await reader.read(new Uint8Array(2))).value], [1, 2]);
  same([...(await reader.read(new Uint8Array(2))).value], [3]);
});

test('queuing strategies', () => {
  equal(new CountQueuingStrategy({ highWaterMark: 2 }).highWaterMark, 2);
  equal(new ByteLengthQueuingStrategy({ highWaterMark: 2 }).size(bytes(1, 2, 3)), 3);
});

test('foreign objects are refused', async () => {
  throws(() => ReadableStream.prototype.getReader.call({}), TypeError);
  await rejects(ReadableStream.prototype.cancel.call({}), TypeError);
  throws(() => new ReadableStreamDefaultReader({}), TypeError);
  throws(() => Object.getOwnPropertyDescriptor(ReadableStream.prototype, 'locked').get.call({}), TypeError);
});

test('locked streams', async () => {
  const stream = numbers(1);
  const reader = stream.getReader();
  equal(stream.locked, true);
  throws(() => stream.getReader(), TypeError);
  await rejects(stream.cancel(), TypeError);
  reader.releaseLock();
  equal(stream.locked, false);
});

test('text encoder and decoder streams', async () => {
  const encoded = await collect(numbers('a€', '\ud83d', '\ude00b', '\ud800').pipeThrough(new TextEncoderStream()));
  same(encoded.flatMap((part) => [...part]), [...utf8('a€\u{1f600}b\ufffd')]);
  const parts = [...utf8('a€\u{1f600}')].map((byte) => bytes(byte));
  equal((await collect(numbers(...parts).pipeThrough(new TextDecoderStream()))).join(''), 'a€\u{1f600}');
  await rejects(collect(numbers(bytes(0xff)).pipeThrough(new TextDecoderStream('utf-8', { fatal: true }))), TypeError);
  await rejects(collect(numbers('x').pipeThrough(new TextDecoderStream())), TypeError);
  equal(new TextEncoderStream().encoding, 'utf-8');
});
