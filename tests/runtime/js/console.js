// A task whose paths write to the console. What each must have written, and at which level, is in ../console.json.

const fixed = (error) => Object.assign(error, { stack: `${error.name}: ${error.message}\n    at f (file.js:1:2)` });
class Point { x = 1; #hidden = 2; get sum() { throw new Error('a getter was called'); } }
class Stack extends Array {}
class Registry extends Map {}
class Failure extends Error { code = 7; }
const circular = { name: 'a', list: [] };
circular.self = circular;
circular.list.push(circular);
const trap = () => { throw new Error('a trap was called'); };
const traps = { get: trap, has: trap, ownKeys: trap, getPrototypeOf: trap, getOwnPropertyDescriptor: trap };

const cases = {
  levels() { console.debug('d'); console.log('l'); console.info('i'); console.warn('w'); console.error('e'); },
  primitives() { console.log('text', 1, -0, 1.5, 10n, true, null, undefined, NaN, Symbol('s')); },
  nothing() { console.log(); console.log(''); },
  format() {
    console.log('%s|%d|%i|%f|%o|%O|%%|%c|%j', 'a', '42.5', '42.9', '1.5x', [1], { a: { b: 1 } }, 'color: red', { j: 1 }, 'rest', [2]);
    console.log('%s %s %s %s', { a: { b: 1 } }, Symbol('x'), 1n, null);
    console.log('%d %i %f', {}, 5n, Symbol('x'));
    console.log('100%', 1);
    console.log('%s is missing');
    console.log('%x', 1);
    console.log(1, '%s', 'not a template');
  },
  objects() {
    console.log({ a: 1, 'b-c': 'two', [Symbol('k')]: null, nested: { list: [1, [2, [3, [4, [5]]]]] } });
    console.log({ 2: 'b', 1: 'a', x: 0 });
    console.log({}, [], [[]], [{}], { a: {} });
    console.log({ get a() { return trap(); }, set a(value) {}, get b() { return trap(); }, set c(value) {} });
    console.log(Object.create(null), Object.assign(Object.create(null), { a: 1 }));
    console.log(new Point(), new (class {})(), Object.create(new Point()));
    console.log({ text: "it's", both: `'"`, lines: 'a\nb', control: '\x00\x7f\ud800', back: '\\' });
  },
  lines() {
    console.log({ first: 'x'.repeat(30), second: 'y'.repeat(30), third: { z: 1 } });
    console.log(Array.from({ length: 30 }, (_, index) => index * 10));
    console.log(['a'.repeat(40), 'b'.repeat(40)]);
  },
  arrays() {
    console.log([1, , 3, , ,], Object.assign([1], { extra: 2 }), new Stack(1, 2));
    const sparse = [];
    sparse[4e9] = 1;
    console.log(sparse);
    console.log(new Array(101).fill(0));
    console.log((function () { return arguments; })(1, 'a'));
  },
  collections() {
    console.log(new Map([['a', { b: 1 }], [{}, 2]]), new Set([1, 'x']), new Registry([[1, 2]]), new Map());
    console.log(new Map([[1, 2]]).entries(), new Set([1]).values(), new WeakMap(), new WeakSet());
  },
  buffers() {
    console.log(new Uint8Array([1, 2]), new BigInt64Array(1), new Uint8Array([1, 255]).buffer);
    const buffer = new ArrayBuffer(2);
    structuredClone(buffer, { transfer: [buffer] });
    console.log(buffer, new DataView(new ArrayBuffer(1)));
    console.log(new ArrayBuffer(60));
  },
  wrapped() {
    console.log(new Date(0), new Date(NaN), /a\/b/gi, new Number(1), new String('s'), Object(1n), Object(Symbol('s')), new Boolean(false));
    console.log(Object.assign(new Date(0), { a: 1 }));
  },
  functions() {
    console.log(function named() {}, () => {}, async () => {}, function* g() {}, class A {}, class B extends Point {}, class extends Point {}, Math.max);
    console.log(Object.assign(function f() {}, { a: 1 }));
  },
  promises() {
    const rejected = Promise.reject(fixed(new Error('no')));
    rejected.catch(() => {});
    console.log(Promise.resolve(1), new Promise(() => {}), rejected);
  },
  proxies() {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    console.log(new Proxy({ a: 1 }, traps), new Proxy([1], traps), new Proxy(new Proxy(() => {}, traps), traps), proxy);
    console.log({ inside: new Proxy(new Map([[1, 2]]), traps) }, Object.create(new Proxy({}, traps)));
  },
  circular() { console.log(circular); },
  errors() {
    console.log(fixed(new RangeError('far')));
    console.log({ error: fixed(new Error('inner')) });
    console.log(fixed(new Error('outer', { cause: fixed(new TypeError('why')) })));
    console.log(fixed(new AggregateError([fixed(new Error('1')), 2], 'many')));
    console.log(Object.assign(fixed(new Error('more')), { code: 'E', info: { a: 1 } }));
    console.log(Object.assign(new Error('no stack'), { stack: undefined }));
    console.log(fixed(new Failure('class')));
    console.log(Object.defineProperty(new DOMException('gone', 'AbortError'), 'stack', { value: 'AbortError: gone\n    at f (file.js:1:2)' }));
  },
  platform() {
    console.log(new URLSearchParams('a=1&a=2'));
    console.log(new URL('http://h/p?q=1'));
    console.log(new Headers({ a: 'b' }), new Response('x', { status: 201 }), new Request('http://h/', { method: 'POST', headers: { c: 'd' } }));
    const form = new FormData();
    form.append('f', new File(['abc'], 'name.txt', { type: 'text/plain', lastModified: 5 }));
    console.log(form, new Blob(['x']), AbortSignal.abort('why'), new TextDecoder());
    console.log(performance.mark('m', { startTime: 1, detail: { a: 1 } }), crypto);
  },
  long() {
    console.log(['x'.repeat(10_001)]);
    console.log('y'.repeat(70_000));
    console.log(Object.fromEntries(Array.from({ length: 202 }, (_, index) => [`k${index}`, 0])));
  },
  groups() {
    console.group('one', 1);
    console.log('a\nb');
    console.groupCollapsed();
    console.warn({ a: 1 });
    console.groupEnd();
    console.groupEnd();
    console.groupEnd();
    console.log('out');
  },
  counts() { console.count(); console.count('x'); console.count(); console.countReset(); console.count(); console.countReset('none'); },
  asserts() { console.assert(true, 'no'); console.assert(false); console.assert(0, 'is %s', 'formatted'); console.assert(null, { a: 1 }); },
  timers() { console.timeEnd('none'); console.timeLog('none'); console.time('t'); console.time('t'); },
  dir() { console.dir({ a: { b: {} } }, { depth: 0 }); console.dirxml([1], 'x'); },
  table() {
    console.table([{ a: 1, b: 'x' }, { a: 2, c: true }]);
    console.table([[1, 2], [3]], ['0']);
    console.table(new Map([['k', { v: 1 }]]));
    console.table(['p', { q: 1 }]);
    console.table('plain');
  },
};

export default {
  fetch(request) {
    cases[new URL(request.url).pathname.slice(1)]();
    return new Response('written');
  },
};
