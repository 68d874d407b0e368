// The global object as an event target: error, unhandledrejection, rejectionhandled, fetch.

import { formatError } from './inspect.js';
import { CustomEvent, ErrorEvent, PromiseRejectionEvent } from './event_types.js';
import { EventTarget, deliver, hasListeners, trust } from './events.js';
import { setAnnouncer } from './report_error.js';
import { isObject } from './webidl.js';

const LEVEL_ERROR = 3;
const target = new EventTarget();

export function addEventListener(type, callback, options = undefined) {
  target.addEventListener(type, callback, options);
}
export function removeEventListener(type, callback, options = undefined) {
  target.removeEventListener(type, callback, options);
}
export function dispatchEvent(event) {
  return deliver(target, event, globalThis);
}
export const hasGlobalListener = (type) => hasListeners(target, type);

// Returns false if a listener (or the global on<type> function) prevented the default.
function announce(event) {
  const wanted = deliver(target, trust(event), globalThis);
  return callAttribute(event) && wanted;
}

// A program may set globalThis.onerror and the like: plain properties here, called after the listeners.
function callAttribute(event) {
  const handler = globalThis[`on${event.type}`];
  if (typeof handler !== 'function') return true;
  if (event.type !== 'error') return handler.call(globalThis, event) !== false;
  return handler.call(globalThis, event.message, event.filename, event.lineno, event.colno, event.error) !== true;
}

setAnnouncer((error) => {
  if (!hasGlobalListener('error') && typeof globalThis.onerror !== 'function') return true;
  return announce(new ErrorEvent('error', { cancelable: true, error, message: messageOf(error) }));
});

function messageOf(error) {
  try {
    return isObject(error) ? `Uncaught ${error.name ?? 'Error'}: ${error.message}` : `Uncaught ${String(error)}`;
  } catch {
    return 'Uncaught error';
  }
}

// Hook: a promise was rejected and nobody looked until the microtasks had run.
export function unhandledRejection(promise, reason) {
  if (announce(new PromiseRejectionEvent('unhandledrejection', { cancelable: true, promise, reason }))) {
    ops.log(LEVEL_ERROR, `Unhandled promise rejection: ${formatError(reason)}`);
  }
}

// Hook: a limit is half used up, and between two pieces of work there is time to hear so. `reason` is that of the end
// which is near: 'cpu-limit'.
export function limitNear(reason) {
  if (!hasGlobalListener('beforeunload') && typeof globalThis.onbeforeunload !== 'function') return;
  announce(new CustomEvent('beforeunload', { detail: { reason } }));
}

// Hook: somebody looked later.
export function rejectionHandled(promise) {
  const [, reason] = ops.promiseDetails(promise);
  announce(new PromiseRejectionEvent('rejectionhandled', { promise, reason }));
}
