import { equal, ok, same, suite, test, throws } from './harness.js';

export default suite;

const after = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

test('arguments are passed on, ids are positive numbers', async () => {
  const seen = await new Promise((resolve) => {
    const id = setTimeout((...values) => resolve(values), 0, 1, 'a');
    ok(Number.isInteger(id) && id > 0, 'id');
  });
  same(seen, [1, 'a']);
});

test('timers of one delay run in order', async () => {
  const seen = [];
  for (let index = 0; index < 5; index++) setTimeout(() => seen.push(index), 1);
  await after(20);
  same(seen, [0, 1, 2, 3, 4]);
});

test('cleared timers do not run; unknown ids are ignored', async () => {
  const seen = [];
  const id = setTimeout(() => seen.push(1), 1);
  clearTimeout(id);
  clearInterval(setTimeout(() => seen.push(2), 1));
  for (const unknown of [undefined, null, 0, -1, 1e9, 'x', {}]) clearTimeout(unknown);
  clearTimeout(id);
  await after(10);
  same(seen, []);
});

test('an interval repeats until it is cleared, from inside too', async () => {
  let count = 0;
  await new Promise((resolve) => {
    const id = setInterval(() => {
      if (++count < 3) return;
      clearInterval(id);
      resolve();
    }, 1);
  });
  await after(10);
  equal(count, 3);
});

test('an exception is reported, the interval and others go on', async () => {
  const seen = [];
  const watch = (event) => { seen.push(event.error.message); event.preventDefault(); };
  addEventListener('error', watch);
  let count = 0;
  const id = setInterval(() => { count++; throw new Error(`round ${count}`); }, 1);
  setTimeout(() => seen.push('other'), 1);
  while (count < 2) await after(1);
  clearInterval(id);
  removeEventListener('error', watch);
  same(seen.slice(0, 3).sort(), ['other', 'round 1', 'round 2']);
});

test('code in strings and other things are refused', () => {
  for (const callback of ['1', undefined, null, 5, {}]) {
    throws(() => setTimeout(callback, 0), TypeError);
    throws(() => setInterval(callback, 0), TypeError);
  }
});

test('odd delays count as none', async () => {
  let count = 0;
  for (const delay of [undefined, NaN, -5, 'x', 2 ** 31, Infinity]) setTimeout(() => count++, delay);
  await after(30);
  equal(count, 6);
});

test('timers nest', async () => {
  let depth = 0;
  await new Promise((resolve) => {
    const step = () => (++depth === 8 ? resolve() : setTimeout(step, 0));
    setTimeout(step, 0);
  });
  equal(depth, 8);
});

test('microtasks run before timers, in order', async () => {
  const seen = [];
  setTimeout(() => seen.push('timer'), 0);
  queueMicrotask(() => seen.push('one'));
  queueMicrotask(() => queueMicrotask(() => seen.push('three')));
  queueMicrotask(() => seen.push('two'));
  await after(5);
  same(seen, ['one', 'two', 'three', 'timer']);
  throws(() => queueMicrotask('x'), TypeError);
  throws(() => queueMicrotask(), TypeError);
});

test('an exception in a microtask is reported', async () => {
  const seen = [];
  const watch = (event) => { seen.push(event.error); event.preventDefault(); };
  addEventListener('error', watch);
  queueMicrotask(() => { throw 'oops'; });
  await after(1);
  removeEventListener('error', watch);
  same(seen, ['oops']);
});
