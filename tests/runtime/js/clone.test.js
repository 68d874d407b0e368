import { bytes, equal, ok, same, suite, test, throws } from './harness.js';

export default suite;

test('primitives', () => {
  for (const value of [undefined, null, true, 'text', '\ud800', 1.5, -0, NaN, 10n ** 30n]) equal(structuredClone(value), value);
});

test('plain objects and arrays, with cycles and shared references', () => {
  const shared = { a: 1 };
  const value = { list: [1, , 3], shared, again: shared, text: 'x' };
  value.self = value;
  const clone = structuredClone(value);
  ok(clone !== value && clone.self === clone && clone.shared === clone.again && clone.shared !== shared);
  same([clone.list.length, 1 in clone.list, clone.text], [3, false, 'x']);
});

test('built-in types', () => {
  equal(structuredClone(new Date(5)).getTime(), 5);
  const pattern = structuredClone(/a+/gi);
  same([pattern.source, pattern.flags, pattern.lastIndex], ['a+', 'gi', 0]);
  same([...structuredClone(new Map([[1, { a: 2 }]]))], [[1, { a: 2 }]]);
  same([...structuredClone(new Set(['x', 'y']))], ['x', 'y']);
  equal(typeof structuredClone(Object(1n)), 'object');
  equal(structuredClone(new String('boxed')).valueOf(), 'boxed');
});

test('errors keep name, message, stack and cause', () => {
  const error = new RangeError('far', { cause: new TypeError('why') });
  const clone = structuredClone(error);
  ok(clone instanceof RangeError && clone.cause instanceof TypeError);
  same([clone.name, clone.message, clone.cause.message, clone.stack], ['RangeError', 'far', 'why', error.stack]);
  class Mine extends Error { name = 'Mine'; }
  equal(structuredClone(new Mine('m')).name, 'Error');
});

test('a DOMException stays one', () => {
  const error = new DOMException('gone', 'AbortError');
  const clone = structuredClone({ error }).error;
  ok(clone instanceof DOMException && clone !== error);
  same([clone.name, clone.message, clone.code, clone.stack], ['AbortError', 'gone', 20, error.stack]);
});

test('buffers and their views', () => {
  const buffer = bytes(1, 2, 3, 4).buffer;
  const clone = structuredClone({ buffer, part: new Uint8Array(buffer, 1, 2), view: new DataView(buffer, 3) });
  ok(clone.buffer !== buffer && clone.part.buffer === clone.buffer && clone.view.buffer === clone.buffer);
  same([...clone.part, clone.view.getUint8(0)], [2, 3, 4]);
  for (const Type of [Int8Array, Uint8ClampedArray, Int16Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array]) {
    ok(structuredClone(new Type(3)) instanceof Type, Type.name);
  }
  const resizable = structuredClone(new ArrayBuffer(2, { maxByteLength: 8 }));
  same([resizable.byteLength, resizable.maxByteLength, resizable.resizable], [2, 8, true]);
});

test('prototypes, getters and symbols do not travel', () => {
  class Point { x = 1; #secret = 2; get sum() { return 3; } }
  const clone = structuredClone(new Point());
  ok(Object.getPrototypeOf(clone) === Object.prototype);
  same(Object.keys(clone), ['x']);
  same(structuredClone({ get a() { return 5; }, [Symbol('s')]: 1 }), { a: 5 });
});

test('what cannot be cloned', () => {
  const values = [
    () => 1, Symbol('s'), new WeakMap(), new WeakSet(), Promise.resolve(1), new Proxy({}, {}), (function* () {})(), { deep: [() => 1] },
    new WeakRef({}),
  ];
  for (const value of values) {
    const error = throws(() => structuredClone(value), 'DataCloneError');
    ok(error instanceof DOMException);
    equal(error.code, 25);
  }
});

test('shared memory cannot be cloned', () => {
  if (typeof SharedArrayBuffer === 'undefined') return;
  throws(() => structuredClone(new SharedArrayBuffer(4)), 'DataCloneError');
  throws(() => structuredClone(new Uint8Array(new SharedArrayBuffer(4))), 'DataCloneError');
});

test('objects of the platform cannot be cloned', () => {
  class MyUrl extends URL {}
  const values = [
    new URL('a:b'), new URLSearchParams('a=1'), new Headers(), new Response(''), new Blob(['x']), new TextDecoder(), new AbortController(), crypto,
    performance, new EventTarget(), new ReadableStream(), new MyUrl('a:b'), Object.create(new MyUrl('a:b')),
  ];
  for (const value of values) throws(() => structuredClone({ value }), 'DataCloneError');
});

test('an exception of a getter passes through', () => {
  const mine = new SyntaxError('mine');
  equal(throws(() => structuredClone({ get a() { throw mine; } }), SyntaxError), mine);
});

test('transferred buffers move', () => {
  const buffer = bytes(1, 2, 3).buffer;
  const { data, again } = structuredClone({ data: new Uint8Array(buffer, 1), again: buffer }, { transfer: [buffer] });
  same([buffer.byteLength, buffer.detached, again.byteLength, ...data], [0, true, 3, 2, 3]);
  ok(data.buffer === again);
  const resizable = new ArrayBuffer(2, { maxByteLength: 8 });
  const moved = structuredClone(resizable, { transfer: [resizable] });
  moved.resize(8);
  same([moved.byteLength, resizable.detached], [8, true]);
});

test('a transferred buffer that is not part of the value is detached all the same', () => {
  const buffer = new ArrayBuffer(8);
  equal(structuredClone(1, { transfer: new Set([buffer]) }), 1);
  equal(buffer.detached, true);
});

test('what cannot be transferred', () => {
  const buffer = new ArrayBuffer(8);
  throws(() => structuredClone(1, { transfer: [buffer, buffer] }), 'DataCloneError');
  throws(() => structuredClone(1, { transfer: [{}] }), 'DataCloneError');
  throws(() => structuredClone(1, { transfer: [new Uint8Array(1)] }), 'DataCloneError');
  throws(() => structuredClone(1, { transfer: [1] }), TypeError);
  throws(() => structuredClone(1, { transfer: null }), TypeError);
  throws(() => structuredClone(1, 5), TypeError);
  throws(() => structuredClone(), TypeError);
  throws(() => structuredClone(() => 1, { transfer: [buffer] }), 'DataCloneError');
  equal(buffer.detached, false);
  structuredClone(1, { transfer: [buffer] });
  throws(() => structuredClone(1, { transfer: [buffer] }), 'DataCloneError');
  throws(() => structuredClone(buffer), 'DataCloneError');
});

test('a buffer that a getter detaches in the middle', () => {
  const buffer = new ArrayBuffer(8);
  const other = new ArrayBuffer(8);
  const value = { get a() { buffer.transfer(); return 1; }, buffer };
  throws(() => structuredClone(value, { transfer: [other, buffer] }), 'DataCloneError');
  equal(other.detached, false);
});

test('WebAssembly memory cannot be transferred', () => {
  const { buffer } = new WebAssembly.Memory({ initial: 1 });
  throws(() => structuredClone(buffer, { transfer: [buffer] }), 'DataCloneError');
  equal(structuredClone(buffer).byteLength, 65536);
});

test('a WebAssembly module cannot be cloned', () => {
  const module = new WebAssembly.Module(bytes(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  throws(() => structuredClone(module), 'DataCloneError');
});

test('a text referred to very often does not fill the memory', () => {
  const text = 'x'.repeat(1 << 20);
  throws(() => structuredClone(Array(100_000).fill(text)), 'DataCloneError');
});

test('nesting that is too deep throws', () => {
  let value = [];
  for (let depth = 0; depth < 300_000; depth++) value = [value];
  throws(() => structuredClone(value), RangeError);
});
