import { equal, ok, same, suite, test, throws } from './harness.js';

export default suite;

const clear = () => { performance.clearMarks(); performance.clearMeasures(); };

test('now never goes back, and moves', async () => {
  const start = performance.now();
  let last = start;
  for (let round = 0; round < 1000; round++) {
    const now = performance.now();
    ok(now >= last, 'later');
    last = now;
  }
  await new Promise((resolve) => setTimeout(resolve, 5));
  ok(performance.now() > start, 'after a timer');
});

test('timeOrigin is in the past, and fits to Date.now()', () => {
  ok(performance.timeOrigin > 1.5e12, 'timeOrigin');
  ok(Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 60_000, 'difference');
  same(performance.toJSON(), { timeOrigin: performance.timeOrigin });
});

test('marks', () => {
  clear();
  const mark = performance.mark('a', { detail: { x: [1] }, startTime: 5 });
  same([mark.name, mark.entryType, mark.startTime, mark.duration, mark.detail], ['a', 'mark', 5, 0, { x: [1] }]);
  same(mark.toJSON(), { name: 'a', entryType: 'mark', startTime: 5, duration: 0, detail: { x: [1] } });
  ok(performance.mark('b').startTime >= 5);
  throws(() => performance.mark(), TypeError);
  throws(() => performance.mark('a', { startTime: -1 }), TypeError);
});

test('measures', () => {
  clear();
  performance.mark('from', { startTime: 10 });
  performance.mark('to', { startTime: 25 });
  const times = ({ startTime, duration }) => [startTime, duration];
  same(times(performance.measure('m', 'from', 'to')), [10, 15]);
  same(times(performance.measure('m', { start: 1, end: 4 })), [1, 3]);
  same(times(performance.measure('m', { start: 'from', duration: 7 })), [10, 7]);
  same(times(performance.measure('m', { end: 'to', duration: 5 })), [20, 5]);
  equal(performance.measure('m').startTime, 0);
  equal(performance.measure('m', { start: 0, detail: 'd' }).detail, 'd');
  throws(() => performance.measure('m', 'missing'), 'SyntaxError');
  throws(() => performance.measure('m', { start: 1, end: 2, duration: 1 }), TypeError);
});

test('entries are listed by time, name and type, and can be cleared', () => {
  clear();
  performance.mark('b', { startTime: 2 });
  performance.mark('a', { startTime: 1 });
  performance.measure('a', 'a', 'b');
  const names = (entries) => entries.map((entry) => `${entry.entryType} ${entry.name}`);
  same(names(performance.getEntries()), ['mark a', 'measure a', 'mark b']);
  same(names(performance.getEntriesByName('a')), ['mark a', 'measure a']);
  same(names(performance.getEntriesByName('a', 'mark')), ['mark a']);
  same(names(performance.getEntriesByType('measure')), ['measure a']);
  performance.clearMarks('a');
  same(names(performance.getEntries()), ['measure a', 'mark b']);
  clear();
  same(performance.getEntries(), []);
});

test('no more than 1,000 entries are kept', () => {
  clear();
  for (let count = 0; count < 1500; count++) performance.mark(`mark ${count}`, { startTime: count });
  const entries = performance.getEntries();
  same([entries.length, entries[0].name], [1000, 'mark 500']);
  clear();
});

test('there is one Performance', () => {
  throws(() => new performance.constructor(), TypeError);
  const { now } = performance;
  throws(() => now(), TypeError);
  equal(Object.prototype.toString.call(performance), '[object Performance]');
  ok(performance instanceof EventTarget);
});
