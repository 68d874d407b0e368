import { equal, same, suite, test, throws } from './harness.js';

export default suite;

test('get joins values of one name with a comma', () => {
  const headers = new Headers();
  headers.append('Accept', 'a');
  headers.append('accept', 'b');
  equal(headers.get('ACCEPT'), 'a, b');
  equal(headers.get('missing'), null);
});

test('names are case-insensitive and come out in lower case, sorted', () => {
  const headers = new Headers({ 'X-B': '2', 'x-a': '1' });
  same([...headers], [['x-a', '1'], ['x-b', '2']]);
  same([...headers.keys()], ['x-a', 'x-b']);
  same([...headers.values()], ['1', '2']);
});

test('set-cookie is never joined while iterating', () => {
  const headers = new Headers([['set-cookie', 'a=1'], ['b', 'x'], ['Set-Cookie', 'c=2']]);
  same([...headers], [['b', 'x'], ['set-cookie', 'a=1'], ['set-cookie', 'c=2']]);
  same(headers.getSetCookie(), ['a=1', 'c=2']);
  equal(headers.get('set-cookie'), 'a=1, c=2');
});

test('set replaces all values and keeps the place', () => {
  const headers = new Headers([['a', '1'], ['b', '2'], ['a', '3']]);
  headers.set('A', '4');
  same([...headers], [['a', '4'], ['b', '2']]);
});

test('delete and has', () => {
  const headers = new Headers({ a: '1', b: '2' });
  headers.delete('A');
  equal(headers.has('a'), false);
  equal(headers.has('B'), true);
  headers.delete('missing');
});

test('values are stripped of outer white space only', () => {
  const headers = new Headers({ a: ' \t x y\r\n ' });
  equal(headers.get('a'), 'x y');
});

test('bad names and values are refused', () => {
  for (const name of ['', 'a b', 'a:', 'ä', 'a\n', '(']) throws(() => new Headers().append(name, 'x'), TypeError);
  for (const value of ['a\nb', 'a\rb', 'a\0b', '\u0100', '€']) throws(() => new Headers().append('a', value), TypeError);
  throws(() => new Headers().get('a b'), TypeError);
  throws(() => new Headers().has(''), TypeError);
  throws(() => new Headers().delete('é'), TypeError);
});

test('latin-1 values and control characters but NUL, CR, LF are allowed', () => {
  const headers = new Headers({ a: 'é\x01\x7f' });
  equal(headers.get('a'), 'é\x01\x7f');
});

test('made from pairs, records, other headers, any iterable', () => {
  same([...new Headers([['a', 1], new Set(['b', 'x'])])], [['a', '1'], ['b', 'x']]);
  same([...new Headers({ a: 1, B: true })], [['a', '1'], ['b', 'true']]);
  same([...new Headers(new Headers({ a: 'x' }))], [['a', 'x']]);
  same([...new Headers(new Map([['a', 'x']]))], [['a', 'x']]);
  same([...new Headers({ a: '1', A: '2' })], [['a', '1, 2']]);
  same([...new Headers(undefined)], []);
  same([...new Headers({})], []);
});

test('wrong init values are TypeErrors', () => {
  for (const init of [null, 1, 'a', [['a']], [['a', 'b', 'c']], ['ab'], [1], { [Symbol('x')]: 'y' }]) throws(() => new Headers(init), TypeError);
  throws(() => Headers(), TypeError);
});

test('a record is read in its own order, through a proxy too', () => {
  const log = [];
  const record = new Proxy({ b: '1', a: '2' }, {
    ownKeys(target) { log.push('ownKeys'); return Reflect.ownKeys(target); },
    getOwnPropertyDescriptor(target, key) { log.push(`describe ${key}`); return Reflect.getOwnPropertyDescriptor(target, key); },
    get(target, key) { log.push(`get ${String(key)}`); return target[key]; },
  });
  new Headers(record);
  same(log, ['get Symbol(Symbol.iterator)', 'ownKeys', 'describe b', 'get b', 'describe a', 'get a']);
});

test('iteration is live', () => {
  const headers = new Headers({ a: '1', c: '3' });
  const seen = [];
  for (const [name] of headers) {
    seen.push(name);
    if (name === 'a') headers.set('b', '2');
  }
  same(seen, ['a', 'b', 'c']);
});

test('forEach passes value, name, headers', () => {
  const seen = [];
  const headers = new Headers({ a: '1' });
  headers.forEach(function (value, name, object) { seen.push(value, name, object === headers, this.x); }, { x: 5 });
  same(seen, ['1', 'a', true, 5]);
  throws(() => headers.forEach('x'), TypeError);
});

test('the class looks as Web IDL says', () => {
  equal(Object.prototype.toString.call(new Headers()), '[object Headers]');
  equal(Object.prototype.toString.call(new Headers().entries()), '[object Headers Iterator]');
  equal(Headers.name, 'Headers');
  equal(Headers.length, 0);
  equal(Headers.prototype[Symbol.iterator], Headers.prototype.entries);
  same(Object.keys(Headers.prototype).sort(), ['append', 'delete', 'entries', 'forEach', 'get', 'getSetCookie', 'has', 'keys', 'set', 'values']);
  throws(() => Headers.prototype.get.call({}, 'a'), TypeError);
  throws(() => new Headers().get(), TypeError);
  throws(() => new Headers().append('a'), TypeError);
});
