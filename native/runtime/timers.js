// setTimeout, setInterval, queueMicrotask. https://html.spec.whatwg.org/multipage/timers-and-user-prompts.html#timers

import { reportException } from './report_error.js';

const NESTING_FREE = 5; // the standard: deeper than this, a timer waits at least
const NESTED_MINIMUM_MS = 4; // so long, or a program that re-arms itself would spin

const timers = new Map(); // id -> {callback, values, ms, repeat, nesting}
let lastId = 0;
let nesting = 0; // of the timer that runs now

function start(name, callback, ms, values, repeat) {
  if (typeof callback !== 'function') {
    throw new TypeError(`${name}: the callback is ${typeof callback === 'string' ? 'a string; code in strings is not run' : 'not a function'}`);
  }
  const id = ++lastId;
  const timer = { callback, values, ms: Math.max(0, ms | 0), repeat, nesting: nesting + 1 }; // `| 0` wraps at 32 bits, as `long` does
  timers.set(id, timer);
  arm(id, timer);
  return id;
}

function arm(id, timer) {
  const minimum = timer.nesting > NESTING_FREE ? NESTED_MINIMUM_MS : 0;
  ops.timerStart(id, Math.max(timer.ms, minimum));
}

function stop(id) {
  const number = id | 0;
  if (timers.delete(number)) ops.timerStop(number);
}

export function setTimeout(callback, delay = 0, ...values) {
  return start('setTimeout', callback, delay, values, false);
}
export function setInterval(callback, delay = 0, ...values) {
  return start('setInterval', callback, delay, values, true);
}
export function clearTimeout(id = 0) { stop(id); }
export function clearInterval(id = 0) { stop(id); }

// Hook: timer `id` is due.
export function timerDue(id) {
  const timer = timers.get(id);
  if (timer === undefined) return;
  if (!timer.repeat) timers.delete(id);
  nesting = timer.nesting;
  try {
    Reflect.apply(timer.callback, globalThis, timer.values);
  } catch (error) {
    reportException(error);
  } finally {
    nesting = 0;
  }
  if (timer.repeat && timers.has(id)) {
    timer.nesting++;
    arm(id, timer);
  }
}

export function queueMicrotask(callback) {
  if (typeof callback !== 'function') throw new TypeError('queueMicrotask: the callback is not a function');
  runSoon(callback);
}

// `await` makes the microtask: unlike Promise.prototype.then, a program cannot replace it.
async function runSoon(callback) {
  await undefined;
  try {
    callback();
  } catch (error) {
    reportException(error);
  }
}
