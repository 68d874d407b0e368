import { equal, ok, same, suite, test, throws, turn } from './harness.js';

export default suite;

test('listeners are called in order, once each', () => {
  const target = new EventTarget();
  const seen = [];
  const one = () => seen.push(1);
  target.addEventListener('x', one);
  target.addEventListener('x', one);
  target.addEventListener('x', () => seen.push(2));
  target.addEventListener('y', () => seen.push(3));
  equal(target.dispatchEvent(new Event('x')), true);
  same(seen, [1, 2]);
  target.removeEventListener('x', one);
  target.dispatchEvent(new Event('x'));
  same(seen, [1, 2, 2]);
});

test('options: once, passive, signal, capture', () => {
  const target = new EventTarget();
  const seen = [];
  const controller = new AbortController();
  target.addEventListener('x', () => seen.push('once'), { once: true });
  target.addEventListener('x', (event) => event.preventDefault(), { passive: true });
  target.addEventListener('x', () => seen.push('signal'), { signal: controller.signal });
  target.addEventListener('x', () => seen.push('capture'), true);
  equal(target.dispatchEvent(new Event('x', { cancelable: true })), true);
  controller.abort();
  target.dispatchEvent(new Event('x'));
  same(seen, ['once', 'signal', 'capture', 'capture']);
  throws(() => target.addEventListener('x', () => {}, { signal: 1 }), TypeError);
});

test('preventDefault and the return value', () => {
  const target = new EventTarget();
  target.addEventListener('x', (event) => event.preventDefault());
  equal(target.dispatchEvent(new Event('x', { cancelable: true })), false);
  equal(target.dispatchEvent(new Event('x')), true);
});

test('stopImmediatePropagation', () => {
  const target = new EventTarget();
  const seen = [];
  target.addEventListener('x', (event) => { seen.push(1); event.stopImmediatePropagation(); });
  target.addEventListener('x', () => seen.push(2));
  target.dispatchEvent(new Event('x'));
  same(seen, [1]);
});

test('handleEvent objects, and this', () => {
  const target = new EventTarget();
  const listener = { handleEvent(event) { this.seen = [event.type, event.currentTarget === target, event.target === target, event.eventPhase]; } };
  target.addEventListener('x', listener);
  const event = new Event('x');
  target.dispatchEvent(event);
  same(listener.seen, ['x', true, true, 2]);
  same([event.currentTarget, event.target === target, event.eventPhase, event.isTrusted], [null, true, 0, false]);
  target.addEventListener('y', function () { listener.self = this === target; });
  target.dispatchEvent(new Event('y'));
  ok(listener.self, 'this');
});

test('listeners added or removed meanwhile', () => {
  const target = new EventTarget();
  const seen = [];
  const later = () => seen.push('removed');
  target.addEventListener('x', () => {
    target.removeEventListener('x', later);
    target.addEventListener('x', () => seen.push('added'));
  }, { once: true });
  target.addEventListener('x', later);
  target.dispatchEvent(new Event('x'));
  same(seen, []);
  target.dispatchEvent(new Event('x'));
  same(seen, ['added']);
});

test('an event cannot be dispatched while it is', () => {
  const target = new EventTarget();
  let error;
  target.addEventListener('x', (event) => { error = throws(() => target.dispatchEvent(event), 'InvalidStateError'); });
  target.dispatchEvent(new Event('x'));
  ok(error !== undefined, 'error');
});

test('wrong arguments', () => {
  const target = new EventTarget();
  throws(() => target.dispatchEvent({}), TypeError);
  throws(() => target.addEventListener('x'), TypeError);
  throws(() => target.addEventListener('x', 1), TypeError);
  target.addEventListener('x', null);
  throws(() => new Event(), TypeError);
  throws(() => new Event('x', 1), TypeError);
  throws(() => EventTarget.prototype.addEventListener.call({}, 'x', () => {}), TypeError);
});

test('events that carry something', () => {
  equal(new CustomEvent('x', { detail: 5 }).detail, 5);
  equal(new CustomEvent('x').detail, null);
  const error = new Error('e');
  same([new ErrorEvent('x', { message: 'm', lineno: 3 }).message, new ErrorEvent('x', { lineno: 3 }).lineno], ['m', 3]);
  equal(new ErrorEvent('x', { error }).error, error);
  equal(new MessageEvent('x', { data: 'd' }).data, 'd');
  equal(new CloseEvent('x', { code: 1000, wasClean: true }).code, 1000);
  const promise = Promise.resolve();
  equal(new PromiseRejectionEvent('x', { promise, reason: 1 }).promise, promise);
  throws(() => new PromiseRejectionEvent('x', {}), TypeError);
  same([Event.AT_TARGET, new Event('x').BUBBLING_PHASE], [2, 3]);
});

test('a listener that throws does not stop the others; the error event tells', () => {
  const target = new EventTarget();
  const seen = [];
  const watch = (event) => { seen.push(event.error.message, event.target === globalThis, event.isTrusted); event.preventDefault(); };
  addEventListener('error', watch);
  target.addEventListener('x', () => { throw new Error('first'); });
  target.addEventListener('x', () => seen.push('second'));
  target.dispatchEvent(new Event('x'));
  removeEventListener('error', watch);
  same(seen, ['first', true, true, 'second']);
});

test('reportError', () => {
  const seen = [];
  const watch = (event) => { seen.push(event.error, event.message); event.preventDefault(); };
  addEventListener('error', watch);
  reportError('text');
  removeEventListener('error', watch);
  same(seen, ['text', 'Uncaught text']);
  throws(() => reportError(), TypeError);
});

test('unhandled rejections', async () => {
  const seen = [];
  const watch = (event) => { seen.push(event.reason); event.preventDefault(); };
  addEventListener('unhandledrejection', watch);
  Promise.reject('lost');
  Promise.reject('found').catch(() => {});
  await turn();
  await turn();
  removeEventListener('unhandledrejection', watch);
  same(seen, ['lost']);
});

test('the global object takes listeners', () => {
  const seen = [];
  const listener = function (event) { seen.push(event.type, this === globalThis); };
  globalThis.addEventListener('own', listener);
  dispatchEvent(new Event('own'));
  removeEventListener('own', listener);
  dispatchEvent(new Event('own'));
  same(seen, ['own', true]);
});
