import { bytes, equal, ok, rejects, same, suite, test, throws, utf8 } from './harness.js';

export default suite;

test('append, get, getAll, has, set, delete', () => {
  const form = new FormData();
  form.append('a', 1);
  form.append('b', 'x');
  form.append('a', 2);
  same([form.get('a'), form.get('c'), form.has('b')], ['1', null, true]);
  same(form.getAll('a'), ['1', '2']);
  form.set('a', 3);
  same([...form], [['a', '3'], ['b', 'x']]);
  form.set('z', 4);
  form.delete('b');
  same([...form.keys()], ['a', 'z']);
});

test('blobs become files', () => {
  const form = new FormData();
  form.append('a', new Blob(['x'], { type: 'a/b' }));
  form.append('b', new File(['x'], 'n.txt'));
  form.append('c', new Blob(['x']), 'other.bin');
  same([form.get('a').name, form.get('a').type, form.get('b').name, form.get('c').name], ['blob', 'a/b', 'n.txt', 'other.bin']);
  ok(form.get('a') instanceof File, 'a File');
  throws(() => form.append('d', 'text', 'name'), TypeError);
  throws(() => form.append('d'), TypeError);
  throws(() => new FormData({}), TypeError);
});

test('multipart there and back', async () => {
  const form = new FormData();
  form.append('tëxt "quoted"\n', 'line1\nline2\r\n€');
  form.append('empty', '');
  form.append('file', new File([bytes(0, 13, 10, 45, 45, 255)], 'nämé".bin', { type: 'application/x-test' }));
  const back = await new Response(form).formData();
  same([...back.keys()], ['tëxt "quoted"\r\n', 'empty', 'file']);
  equal(back.get('tëxt "quoted"\r\n'), 'line1\r\nline2\r\n€');
  equal(back.get('empty'), '');
  const file = back.get('file');
  same([file.name, file.type, [...(await file.bytes())]], ['nämé".bin', 'application/x-test', [0, 13, 10, 45, 45, 255]]);
});

test('an empty form there and back', async () => {
  same([...(await new Response(new FormData()).formData())], []);
});

const multipart = (text, boundary = 'B') => new Response(text, { headers: { 'content-type': `multipart/form-data; boundary=${boundary}` } }).formData();

test('multipart as browsers and tools write it', async () => {
  const form = await multipart([
    'preamble', '--B', 'content-disposition: form-data; name=plain', '', 'x', '--B', 'Content-Type: text/x', 'Content-Disposition: form-data; filename="f"; name="file"',
    '', 'content', '--B--', 'epilogue'].join('\r\n'));
  equal(form.get('plain'), 'x');
  same([form.get('file').name, form.get('file').type, await form.get('file').text()], ['f', 'text/x', 'content']);
});

test('a quoted boundary', async () => {
  const form = await multipart('--a b\r\nContent-Disposition: form-data; name="x"\r\n\r\n1\r\n--a b--', '"a b"');
  equal(form.get('x'), '1');
});

test('malformed multipart is a TypeError', async () => {
  for (const text of ['', 'x', '--B', '--B\r\n', '--B\r\n\r\nx\r\n--B--', '--B\r\nContent-Disposition: form-data; name="a"\r\n\r\nx',
    '--B\r\nContent-Disposition: attachment; name="a"\r\n\r\nx\r\n--B--', '--B\r\nnonsense\r\n\r\nx\r\n--B--', '--Bx\r\n']) await rejects(multipart(text), TypeError);
  await rejects(new Response('x', { headers: { 'content-type': 'multipart/form-data' } }).formData(), TypeError);
});

test('urlencoded bodies', async () => {
  const form = await new Response(new URLSearchParams([['a', 'ä b'], ['a', '&']])).formData();
  same(form.getAll('a'), ['ä b', '&']);
  const odd = await new Response(utf8('?a=1&b'), { headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' } }).formData();
  same([...odd], [['?a', '1'], ['b', '']]);
});

test('other content types are a TypeError that names them', async () => {
  const error = await rejects(new Response('x').formData(), TypeError);
  ok(error.message.includes('text/plain'), error.message);
});
