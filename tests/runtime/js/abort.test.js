import { equal, ok, same, suite, test, throws } from './harness.js';

export default suite;

test('a controller aborts its signal once', () => {
  const controller = new AbortController();
  const { signal } = controller;
  const seen = [];
  signal.addEventListener('abort', (event) => seen.push(event.isTrusted, signal.aborted));
  signal.onabort = () => seen.push('attribute');
  same([signal.aborted, signal.reason], [false, undefined]);
  signal.throwIfAborted();
  controller.abort('why');
  controller.abort('again');
  same([signal.aborted, signal.reason, seen], [true, 'why', [true, true, 'attribute']]);
  equal(throwsValue(() => signal.throwIfAborted()), 'why');
});

function throwsValue(run) {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

test('the default reason is an AbortError', () => {
  const controller = new AbortController();
  controller.abort();
  ok(controller.signal.reason instanceof DOMException, 'DOMException');
  equal(controller.signal.reason.name, 'AbortError');
  equal(AbortSignal.abort().reason.name, 'AbortError');
  equal(AbortSignal.abort(5).reason, 5);
});

test('timeout', async () => {
  const signal = AbortSignal.timeout(5);
  equal(signal.aborted, false);
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  equal(signal.reason.name, 'TimeoutError');
  throws(() => AbortSignal.timeout(-1), TypeError);
  throws(() => AbortSignal.timeout('x'), TypeError);
  throws(() => AbortSignal.timeout(), TypeError);
});

test('any', () => {
  const one = new AbortController();
  const two = new AbortController();
  const any = AbortSignal.any([one.signal, two.signal]);
  const nested = AbortSignal.any([any]);
  const seen = [];
  nested.onabort = () => seen.push(any.aborted, nested.aborted);
  two.abort('two');
  one.abort('one');
  same([any.reason, nested.reason, seen], ['two', 'two', [true, true]]);
  equal(AbortSignal.any([AbortSignal.abort('x'), one.signal]).reason, 'x');
  equal(AbortSignal.any([]).aborted, false);
  throws(() => AbortSignal.any([1]), TypeError);
});

test('a listener may abort again or remove itself', () => {
  const controller = new AbortController();
  const seen = [];
  const listener = () => { seen.push(1); controller.abort(); };
  controller.signal.addEventListener('abort', listener, { once: true });
  controller.abort();
  same(seen, [1]);
});

test('onabort can be taken back', () => {
  const controller = new AbortController();
  const seen = [];
  controller.signal.onabort = () => seen.push(1);
  controller.signal.onabort = null;
  controller.abort();
  same([seen, controller.signal.onabort], [[], null]);
});

test('signals cannot be constructed', () => {
  throws(() => new AbortSignal(), TypeError);
  ok(new AbortController().signal instanceof EventTarget, 'EventTarget');
  equal(Object.prototype.toString.call(new AbortController().signal), '[object AbortSignal]');
});
