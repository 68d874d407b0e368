import { equal, ok, same, suite, test, throws } from './harness.js';

export default suite;

const PARTS = ['protocol', 'username', 'password', 'host', 'hostname', 'port', 'pathname', 'search', 'hash', 'origin'];

function parts(input, base, expected) {
  const url = new URL(input, base);
  for (const name of [...PARTS, 'href']) if (name in expected) equal(url[name], expected[name], `${name} of ${input}`);
}

test('all parts', () => {
  parts('https://us%20er:p@EXAMPLE.com:8080/a/./b/../c?x=1#y', undefined, {
    href: 'https://us%20er:p@example.com:8080/a/c?x=1#y', protocol: 'https:', username: 'us%20er', password: 'p', host: 'example.com:8080',
    hostname: 'example.com', port: '8080', pathname: '/a/c', search: '?x=1', hash: '#y', origin: 'https://example.com:8080',
  });
});

test('missing parts are empty', () => {
  parts('http://h', undefined, { username: '', password: '', port: '', pathname: '/', search: '', hash: '', host: 'h', origin: 'http://h' });
  parts('http://h/?#', undefined, { href: 'http://h/?#', search: '', hash: '' });
  parts('http://:pw@h/', undefined, { username: '', password: 'pw', host: 'h' });
  parts('http://u@h/', undefined, { username: 'u', password: '', host: 'h' });
});

test('unusual URLs', () => {
  parts('mailto:a@b?subject=c', undefined, { protocol: 'mailto:', pathname: 'a@b', host: '', username: '', search: '?subject=c', origin: 'null' });
  parts('data:text/plain,x y', undefined, { pathname: 'text/plain,x y', origin: 'null' });
  parts('file:///C|/x', undefined, { href: 'file:///C:/x', host: '', pathname: '/C:/x', origin: 'null' });
  parts('blob:https://a.b/id', undefined, { pathname: 'https://a.b/id', origin: 'https://a.b' });
  parts('web+demo:/.//not-a-host/', undefined, { pathname: '//not-a-host/', host: '', hostname: '' });
  parts('foo://h:81/p', undefined, { host: 'h:81', port: '81', origin: 'null' });
  parts('http://[2001:db8::1]:3000/', undefined, { host: '[2001:db8::1]:3000', hostname: '[2001:db8::1]', port: '3000' });
  parts('http://0x7f.1/', undefined, { host: '127.0.0.1' });
  parts('HTTP://h:80/', undefined, { href: 'http://h/', port: '' });
  parts('http://münchen.de/ä?ö#ü', undefined, { host: 'xn--mnchen-3ya.de', pathname: '/%C3%A4', search: '?%C3%B6', hash: '#%C3%BC' });
  parts(' \thttp://h/\ud800\n ', undefined, { href: 'http://h/%EF%BF%BD' });
  parts('https:\\\\h\\p', undefined, { href: 'https://h/p' });
});

test('relative to a base', () => {
  const base = 'http://h/dir/file?q#f';
  const expected = {
    '../x': 'http://h/x', 'y?z': 'http://h/dir/y?z', '?new': 'http://h/dir/file?new', '#new': 'http://h/dir/file?q#new', '': 'http://h/dir/file?q',
    '//other/p': 'http://other/p', '/abs': 'http://h/abs', 'ftp://f/': 'ftp://f/',
  };
  for (const [input, href] of Object.entries(expected)) {
    equal(new URL(input, base).href, href);
    equal(new URL(input, new URL(base)).href, href);
  }
});

test('what is no URL', () => {
  for (const input of ['', 'x', '/p', '//h', 'http://', 'http://a b/', 'http://h:99999/', 'http://[::1', 'http://%zz/', 'https://xn--a/', 'http://256.0.0.1/']) {
    const error = throws(() => new URL(input), TypeError);
    ok(error.message.includes('Invalid URL'), error.message);
    equal(URL.canParse(input), false, input);
    equal(URL.parse(input), null);
  }
  throws(() => new URL('x', 'mailto:a'), TypeError);
  throws(() => new URL(), TypeError);
  throws(() => URL.canParse(), TypeError);
  throws(() => URL('http://h'), TypeError);
});

test('static functions', () => {
  equal(URL.canParse('x', 'http://h'), true);
  equal(URL.parse('x', 'http://h').href, 'http://h/x');
  equal('createObjectURL' in URL, false);
});

test('setters', () => {
  const url = new URL('http://h/p?q#f');
  const steps = [
    ['protocol', 'https', 'https://h/p?q#f'], ['protocol', 'mailto:', 'https://h/p?q#f'], ['username', 'a b', 'https://a%20b@h/p?q#f'],
    ['password', 'x:y', 'https://a%20b:x%3Ay@h/p?q#f'], ['host', 'g:99', 'https://a%20b:x%3Ay@g:99/p?q#f'], ['port', '443', 'https://a%20b:x%3Ay@g/p?q#f'],
    ['port', '12x', 'https://a%20b:x%3Ay@g:12/p?q#f'], ['port', 'x', 'https://a%20b:x%3Ay@g:12/p?q#f'], ['port', '', 'https://a%20b:x%3Ay@g/p?q#f'],
    ['hostname', 'B.c', 'https://a%20b:x%3Ay@b.c/p?q#f'], ['hostname', '', 'https://a%20b:x%3Ay@b.c/p?q#f'], ['username', '', 'https://:x%3Ay@b.c/p?q#f'],
    ['password', '', 'https://b.c/p?q#f'], ['pathname', 'r/../s', 'https://b.c/s?q#f'], ['search', 'a=ä', 'https://b.c/s?a=%C3%A4#f'],
    ['search', '?', 'https://b.c/s?#f'], ['search', '', 'https://b.c/s#f'], ['hash', 'x y', 'https://b.c/s#x%20y'], ['hash', '', 'https://b.c/s'],
    ['href', 'ftp://z', 'ftp://z/'],
  ];
  for (const [name, value, href] of steps) {
    url[name] = value;
    equal(url.href, href, `href after ${name} = ${value}`);
  }
  throws(() => { url.href = 'nope'; }, TypeError);
  equal(url.href, 'ftp://z/');
});

test('read-only parts, text and JSON', () => {
  const url = new URL('http://h/');
  throws(() => { url.origin = 'x'; }, TypeError);
  throws(() => { url.searchParams = 'x'; }, TypeError);
  same([`${url}`, url.toJSON(), JSON.stringify({ url })], ['http://h/', 'http://h/', '{"url":"http://h/"}']);
  equal(Object.prototype.toString.call(url), '[object URL]');
  ok('href' in url && Object.keys(url).length === 0);
  throws(() => Object.getOwnPropertyDescriptor(URL.prototype, 'href').get.call({}), TypeError);
});

test('searchParams and the URL follow each other', () => {
  const url = new URL('http://h/?a=1&b=2#f');
  const params = url.searchParams;
  ok(params === url.searchParams);
  params.append('c', '3 4');
  equal(url.href, 'http://h/?a=1&b=2&c=3+4#f');
  params.delete('a');
  params.set('b', 'é');
  equal(url.search, '?b=%C3%A9&c=3+4');
  url.search = '?x=y';
  same([...params], [['x', 'y']]);
  url.href = 'http://h/?z';
  same([...params], [['z', '']]);
  params.delete('z');
  equal(url.href, 'http://h/');
});

test('URLSearchParams from every kind of argument', () => {
  equal(`${new URLSearchParams('?a=1&b=2')}`, 'a=1&b=2');
  equal(`${new URLSearchParams([['a', 1], ['a', 2]])}`, 'a=1&a=2');
  equal(`${new URLSearchParams({ a: 1, b: 'x y' })}`, 'a=1&b=x+y');
  equal(`${new URLSearchParams(new Map([['k', 'v']]))}`, 'k=v');
  equal(`${new URLSearchParams(new URLSearchParams('q=1'))}`, 'q=1');
  equal(`${new URLSearchParams(new FormData())}`, '');
  equal(`${new URLSearchParams()}`, '');
  equal(`${new URLSearchParams(null)}`, 'null=');
  equal(`${new URLSearchParams({ '\ud835x': '1', 'xx': '2', '\ud83dx': '3' })}`, '%EF%BF%BDx=3&xx=2');
  for (const bad of [[['a']], [['a', 'b', 'c']], [1], { [Symbol.iterator]: 1 }]) throws(() => new URLSearchParams(bad), TypeError);
  throws(() => new URLSearchParams({ a: Symbol('x') }), TypeError);
});

test('parsing of queries', () => {
  const read = (text) => [...new URLSearchParams(text)];
  same(read('a=b=c&&d&=e&f='), [['a', 'b=c'], ['d', ''], ['', 'e'], ['f', '']]);
  same(read('a+b=c%20d%2B'), [['a b', 'c d+']]);
  same(read('%zz=%&x=%4'), [['%zz', '%'], ['x', '%4']]);
  same(read('a=%ff%41&b=%e2%82'), [['a', '\ufffdA'], ['b', '\ufffd']]);
  same(read('a=%EF%BB%BFb'), [['a', '\ufeffb']]);
  same(read('ä=%C3%A4'), [['ä', 'ä']]);
  same(read('a=1%2'), [['a', '1%2']]);
  same(read('a=%00b'), [['a', '\0b']]);
});

test('writing of queries', () => {
  const text = (value) => `${new URLSearchParams([['k', value]])}`;
  equal(text("a b+c&d=e~!'()*-._"), 'k=a+b%2Bc%26d%3De%7E%21%27%28%29*-._');
  equal(text('ä☃😀'), 'k=%C3%A4%E2%98%83%F0%9F%98%80');
  equal(text('\ud800'), 'k=%EF%BF%BD');
  equal(text('\r\n\0%'), 'k=%0D%0A%00%25');
});

test('reading and changing', () => {
  const params = new URLSearchParams('a=1&b=2&a=3&c=4');
  same([params.get('a'), params.get('x'), params.getAll('a'), params.has('b'), params.has('a', '3'), params.has('a', '2'), params.size],
    ['1', null, ['1', '3'], true, true, false, 4]);
  params.delete('a', '1');
  params.set('b', 'new');
  params.set('z', '9');
  equal(`${params}`, 'b=new&a=3&c=4&z=9');
  params.append('b', 'more');
  params.set('b', 'one');
  equal(`${params}`, 'b=one&a=3&c=4&z=9');
  for (const name of ['append', 'set']) throws(() => params[name]('x'), TypeError);
  for (const name of ['delete', 'get', 'getAll', 'has']) throws(() => params[name](), TypeError);
});

test('sorting is by UTF-16 units and stable', () => {
  const params = new URLSearchParams('z=b&a=b&z=a&a=a&\uffff=x&\u{1f308}=y');
  params.sort();
  same([...params].map(([name, value]) => name + value), ['ab', 'aa', 'zb', 'za', '\u{1f308}y', '\uffffx']);
});

test('iteration is live', () => {
  const params = new URLSearchParams('a=1&b=2');
  const seen = [];
  for (const [name] of params) {
    seen.push(name);
    if (name === 'a') params.append('c', '3');
  }
  same(seen, ['a', 'b', 'c']);
  same([[...params.keys()], [...params.values()]], [['a', 'b', 'c'], ['1', '2', '3']]);
  const called = [];
  params.forEach(function each(value, name, object) { called.push([value, name, object === params, this.me]); }, { me: 1 });
  same(called[0], ['1', 'a', true, 1]);
  equal(Object.prototype.toString.call(params.entries()), '[object URLSearchParams Iterator]');
  throws(() => params.forEach(1), TypeError);
});

test('long URLs: 1 MiB is parsed, 3 MiB and overlong foreign hosts are refused', () => {
  equal(new URL(`http://h/${'a'.repeat(1 << 20)}`).pathname.length, (1 << 20) + 1);
  equal(new URL(`data:,${'ä'.repeat(100_000)}`).pathname.length, 600_001);
  equal(URL.canParse(`http://h/${'a'.repeat(3 << 20)}`), false);
  equal(URL.canParse(`http://${'ä'.repeat(20_000)}/`), false);
  equal(URL.canParse(`http:${'%C3%A4'.repeat(20_000)}`), false);
  equal(new URL(`?${'ä'.repeat(20_000)}`, 'http://h').search.length, 120_001);
  const url = new URL('http://h/');
  url.hostname = '\u0301'.repeat(10_000);
  url.pathname = 'ä'.repeat(1 << 20);
  equal(url.href, 'http://h/');
});
