import { equal, ok, same, suite, test, throws } from './harness.js';

export default suite;

const CLASSES = [
  'AbortController', 'AbortSignal', 'Blob', 'ByteLengthQueuingStrategy', 'CloseEvent', 'CountQueuingStrategy', 'Crypto', 'CustomEvent', 'DOMException', 'ErrorEvent',
  'Event', 'EventTarget', 'File', 'FormData', 'Headers', 'MessageEvent', 'Navigator', 'Performance', 'PerformanceEntry', 'PerformanceMark', 'PerformanceMeasure', 'PromiseRejectionEvent', 'ReadableByteStreamController', 'ReadableStream',
  'ReadableStreamBYOBReader', 'ReadableStreamBYOBRequest', 'ReadableStreamDefaultController', 'ReadableStreamDefaultReader', 'Request', 'Response',
  'TextDecoder', 'TextDecoderStream', 'TextEncoder', 'TextEncoderStream', 'TransformStream', 'TransformStreamDefaultController', 'URL',
  'URLSearchParams', 'WritableStream', 'WritableStreamDefaultController', 'WritableStreamDefaultWriter',
];
const FUNCTIONS = [
  'addEventListener', 'atob', 'btoa', 'clearInterval', 'clearTimeout', 'dispatchEvent', 'queueMicrotask', 'removeEventListener', 'reportError',
  'setInterval', 'setTimeout', 'structuredClone',
];

for (const name of CLASSES) {
  test(`class ${name}`, () => {
    const property = Object.getOwnPropertyDescriptor(globalThis, name);
    same([property.writable, property.enumerable, property.configurable], [true, false, true]);
    equal(property.value.name, name);
    equal(property.value.prototype[Symbol.toStringTag], name);
    equal(Object.getOwnPropertyDescriptor(property.value.prototype, 'constructor').enumerable, false);
    throws(() => property.value(), TypeError);
  });
}

for (const name of FUNCTIONS) {
  test(`function ${name}`, () => {
    const property = Object.getOwnPropertyDescriptor(globalThis, name);
    same([property.writable, property.enumerable, property.configurable], [true, true, true]);
    equal(property.value.name, name);
    equal(typeof property.value, 'function');
  });
}

test('self is the global object', () => {
  equal(self, globalThis);
});

test('process', () => {
  same([process.argv[0], process.platform, typeof process.argv[1]], ['isolated', 'linux', 'string']);
  ok(process.cwd().startsWith('/'), 'cwd');
  same(Object.values(process.env).every((value) => typeof value === 'string'), true);
  throws(() => process.exit('x'), TypeError);
  throws(() => process.nextTick(1), TypeError);
});

test('process.nextTick passes its arguments, before timers', async () => {
  const seen = [];
  await new Promise((resolve) => { setTimeout(resolve, 0); process.nextTick((...values) => seen.push(...values), 1, 2); });
  same(seen, [1, 2]);
});

test('native functions are out of reach', () => {
  equal(typeof ops, 'undefined');
  const seen = [];
  const before = Error.prepareStackTrace;
  Error.prepareStackTrace = (error, sites) => { for (const site of sites) seen.push(site.getFunction(), site.getThis()); return ''; };
  try {
    const hostile = { toString() { String(new Error('x').stack); return 'a'; } };
    new Headers().append(hostile, 'x');
    try { new Headers().append('a b', 'x'); } catch (error) { String(error.stack); }
    new Request({ toString() { String(new Error('x').stack); return 'https://example.com/'; } });
  } finally {
    Error.prepareStackTrace = before;
  }
  ok(seen.length > 0, 'frames');
  ok(seen.every((value) => value === undefined || value === null || (typeof value !== 'object' || !('respond' in value))), 'no native table');
});
