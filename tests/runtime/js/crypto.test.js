import { equal, ok, same, suite, test, throws } from './harness.js';

export default suite;

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('randomUUID gives version 4 UUIDs, never twice', () => {
  const seen = new Set(Array.from({ length: 1000 }, () => crypto.randomUUID()));
  equal(seen.size, 1000);
  for (const uuid of seen) ok(UUID.test(uuid), uuid);
});

test('getRandomValues fills every kind of integer array, and returns it', () => {
  for (const Type of [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, BigInt64Array, BigUint64Array]) {
    const array = new Type(64);
    equal(crypto.getRandomValues(array), array);
    ok(new Set(array).size > 1, Type.name); // all 64 equal: once in 2^504 runs
  }
});

test('getRandomValues stays within its view', () => {
  const whole = new Uint8Array(300);
  crypto.getRandomValues(whole.subarray(100, 200));
  ok(whole.subarray(0, 100).every((byte) => byte === 0) && whole.subarray(200).every((byte) => byte === 0));
  ok(whole.subarray(100, 200).some((byte) => byte !== 0));
});

test('65,536 bytes at most', () => {
  const array = crypto.getRandomValues(new Uint8Array(65_536));
  ok(array.subarray(65_500).some((byte) => byte !== 0));
  equal(throws(() => crypto.getRandomValues(new Uint8Array(65_537)), 'QuotaExceededError').code, 22);
  equal(crypto.getRandomValues(new Uint8Array(0)).length, 0);
});

test('what cannot be filled', () => {
  for (const array of [new Float64Array(1), new Float32Array(1), new DataView(new ArrayBuffer(1))]) {
    throws(() => crypto.getRandomValues(array), 'TypeMismatchError');
  }
  for (const value of [undefined, null, [1], new ArrayBuffer(8), {}]) throws(() => crypto.getRandomValues(value), TypeError);
  throws(() => crypto.getRandomValues(), TypeError);
});

test('there is one Crypto', () => {
  throws(() => new crypto.constructor(), TypeError);
  const { randomUUID } = crypto;
  throws(() => randomUUID(), TypeError);
  throws(() => crypto.getRandomValues.call({}, new Uint8Array(1)), TypeError);
  same([Object.prototype.toString.call(crypto), crypto.constructor.name], ['[object Crypto]', 'Crypto']);
});

test('navigator', () => {
  same([navigator.userAgent, navigator.hardwareConcurrency], ['isolated', 1]);
  throws(() => { navigator.userAgent = 'x'; }, TypeError);
});
