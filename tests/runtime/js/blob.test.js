import { bytes, equal, same, suite, test, throws } from './harness.js';

export default suite;

test('parts of every kind', async () => {
  const blob = new Blob(['aä', bytes(98), bytes(99).buffer, new Blob(['d']), new DataView(bytes(0, 101, 0).buffer, 1, 1), 5], { type: 'Text/Plain' });
  equal(await blob.text(), 'aäbcde5');
  equal(blob.size, 8);
  equal(blob.type, 'text/plain');
});

test('without arguments', () => {
  same([new Blob().size, new Blob().type], [0, '']);
});

test('parts are copied', async () => {
  const part = bytes(1);
  const blob = new Blob([part]);
  part[0] = 2;
  same([...(await blob.bytes())], [1]);
  (await blob.bytes())[0] = 3;
  same([...new Uint8Array(await blob.arrayBuffer())], [1]);
});

test('slice', async () => {
  const blob = new Blob(['hello'], { type: 'a/b' });
  const cases = [[[1, 3], 'el'], [[-3], 'llo'], [[-3, -1], 'll'], [[3, 1], ''], [[0, 99], 'hello'], [[], 'hello'], [[NaN, 2], 'he'], [[1.7], 'ello']];
  for (const [range, text] of cases) equal(await blob.slice(...range).text(), text, `slice(${range})`);
  equal(blob.slice(0, 1, 'C/D').type, 'c/d');
  equal(blob.slice(0, 1).type, '');
});

test('stream gives it in parts', async () => {
  const blob = new Blob([new Uint8Array(150000).fill(7)]);
  let size = 0;
  for await (const part of blob.stream()) size += part.byteLength;
  equal(size, 150000);
});

test('line endings', async () => {
  equal(await new Blob(['a\r\nb\rc\n'], { endings: 'native' }).text(), 'a\nb\nc\n');
  equal(await new Blob(['a\r\nb'], { endings: 'transparent' }).text(), 'a\r\nb');
  throws(() => new Blob([], { endings: 'other' }), TypeError);
});

test('wrong arguments', () => {
  for (const parts of [null, 'x', 1, {}]) throws(() => new Blob(parts), TypeError);
  throws(() => new Blob([], 1), TypeError);
  equal(new Blob([], { type: 'a\u0100' }).type, '');
});

test('File', () => {
  const file = new File(['x'], 'näme', { type: 'a/b', lastModified: 5 });
  same([file.name, file.type, file.lastModified, file.size, file instanceof Blob], ['näme', 'a/b', 5, 1, true]);
  equal(typeof new File([], 'x').lastModified, 'number');
  throws(() => new File([]), TypeError);
  equal(Object.prototype.toString.call(file), '[object File]');
});
