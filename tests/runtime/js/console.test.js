import { equal, ok, same, suite, test } from './harness.js';

export default suite;

// What is written is checked by console.js and ../console.json; here, that no object can hurt by being shown.

const METHODS = [
  'assert', 'clear', 'count', 'countReset', 'debug', 'dir', 'dirxml', 'error', 'group', 'groupCollapsed', 'groupEnd', 'info', 'log', 'table',
  'time', 'timeEnd', 'timeLog', 'trace', 'warn',
];

// Shows the value in every way there is.
function show(value) {
  console.log(value);
  console.log('%s %d %i %f %o %O %j', value, value, value, value, value, value, 1);
  console.log({ inside: [value] });
  console.dir(value, { depth: Infinity });
  console.table(value);
  console.table([value]);
  console.error(new Error('with', { cause: value }));
  console.assert(false, value);
}

test('all methods are there, and work without console', () => {
  for (const name of METHODS) equal(typeof console[name], 'function', name);
  const { log, group, groupEnd, count } = console;
  log('alone');
  group('alone');
  groupEnd();
  count('alone');
  equal(Object.prototype.toString.call(console), '[object console]');
  ok(Object.keys(console).includes('log'));
});

test('methods return nothing', () => {
  for (const name of METHODS) equal(console[name]('x'), undefined, name);
  console.groupEnd();
});

test('getters and traps are not called', () => {
  const called = [];
  const note = (name) => { called.push(name); throw new Error(name); };
  const object = { get a() { return note('get'); }, set a(value) { note('set'); }, toString: () => note('toString'), valueOf: () => note('valueOf'), inspect: () => note('inspect') };
  const handler = Object.fromEntries(Reflect.ownKeys(Reflect).filter((key) => typeof key === 'string').map((key) => [key, () => note(key)]));
  const withGetter = (target, key) => Object.defineProperty(target, key, { get: () => note(`get ${String(key)}`), configurable: true });
  const values = [
    object, new Proxy({}, handler), new Proxy([], handler), new Proxy(function f() {}, handler), Object.create(new Proxy({}, handler)),
    withGetter(new Error('e'), 'stack'), withGetter(new Error('e'), 'message'), withGetter(new Error('e'), 'cause'),
    withGetter(new Map([[1, 2]]), 'size'), withGetter(new Set([1]), Symbol.iterator), withGetter([1, 2], '0'), withGetter(/x/, 'flags'), withGetter(/x/, 'source'),
    withGetter(function f() {}, 'name'), withGetter({}, 'constructor'), withGetter({}, Symbol.toStringTag), withGetter(new Date(0), 'toISOString'),
    withGetter(Promise.resolve(1), 'then'), withGetter(new Uint8Array(2), 'length'), withGetter(Object(1n), 'valueOf'), withGetter(new URL('a:b'), 'href'),
    withGetter(new AggregateError([], 'x'), 'errors'),
  ];
  for (const value of values) {
    console.log(value);
    console.log('%s %o', value, value);
    console.log([value]);
    console.dir(value);
    console.table(value);
    console.table([value]);
  }
  same(called, []);
});

test('hostile objects are shown without an error', () => {
  const revoked = Proxy.revocable({}, {});
  revoked.revoke();
  const gone = new Uint8Array(4);
  gone.buffer.transfer();
  const noPrototype = (value) => Object.setPrototypeOf(value, null);
  const values = [
    revoked.proxy, gone, gone.buffer, new DataView(new ArrayBuffer(1)), noPrototype([1]), noPrototype(new Map([[1, 2]])), noPrototype(new Error('x')),
    noPrototype(() => 1), noPrototype(new Date()), noPrototype(new Uint8Array(1)), noPrototype(Promise.resolve()), Object.create(URL.prototype),
    Object.create(URLSearchParams.prototype), Object.create(DOMException.prototype), Object.create(Map.prototype), Object.create(Error.prototype), URL.prototype,
    Object.prototype, Function.prototype, globalThis, Symbol('x'.repeat(1e5)), { [Symbol('y'.repeat(1e5))]: 1, ['z'.repeat(1e5)]: 1 }, new Error('m'.repeat(1e5)),
    Object.defineProperty(() => 1, 'name', { value: 1 }), Object.defineProperty(class {}, 'name', { value: Symbol('n') }), 2n ** 1_000_000n, new String('s'.repeat(1e5)), /x/[Symbol.matchAll]('x'),
  ];
  for (const value of values) show(value);
});

test('a program that broke the built-in functions can still write', () => {
  const saved = [Array.prototype.join, Array.prototype.push, Error.prepareStackTrace];
  const fail = () => { throw new Error('broken'); };
  try {
    Array.prototype.join = fail;
    Array.prototype.push = fail;
    Error.prepareStackTrace = fail;
    console.log([1, 2], { a: 1 }, new Error('x'));
  } finally {
    [Array.prototype.join, Array.prototype.push, Error.prepareStackTrace] = saved;
  }
});

test('what is large or deep is cut', () => {
  let deep = {};
  for (let depth = 0; depth < 100_000; depth++) deep = { deep };
  let proxies = {};
  for (let depth = 0; depth < 100_000; depth++) proxies = new Proxy(proxies, {});
  let wide = [];
  for (let depth = 0; depth < 60; depth++) wide = [wide, wide];
  let error = new Error('first');
  for (let depth = 0; depth < 1000; depth++) error = new Error('next', { cause: error });
  const sparse = [];
  sparse[2 ** 32 - 2] = 1;
  const rows = Array.from({ length: 5000 }, (_, index) => ({ index, text: 'x'.repeat(500) }));
  const claims = { length: 2 ** 53 - 1 };
  for (const value of [deep, proxies, wide, error, sparse, rows, claims, new Array(1e6).fill('text'), new Uint8Array(1e7), new Set(rows)]) {
    console.log(value);
    console.dir(value, { depth: Infinity });
    console.table(value);
  }
});
