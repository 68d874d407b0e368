// Who answers requests: the default export's fetch method, or listeners of the fetch event.

import { ExecutionContext } from './context.js';
import { FetchEvent, answerOf } from './fetch_event.js';
import { dispatchEvent, hasGlobalListener } from './global_events.js';
import { taskEnv } from './process.js';
import { isObject } from './webidl.js';

const LEVEL_WARNING = 2;
const USAGE = 'export default { fetch(request, env, ctx) { … } }';
let target = null; // object with a fetch method

// Hook: the main module was evaluated. Returns whether there is somebody who answers requests.
export function loaded(namespace) {
  const exported = namespace === undefined ? undefined : namespace.default;
  if (isObject(exported) && typeof exported.fetch === 'function') {
    target = exported;
    return true;
  }
  if (hasGlobalListener('fetch')) return true;
  if (isObject(exported)) {
    ops.log(LEVEL_WARNING, `The default export has no fetch method, so no request can be answered: ${USAGE}`);
  }
  return false;
}

// Returns what the handler returned: a Response, a promise of one, or a mistake.
export function callHandler(request, exchange) {
  if (target !== null) return target.fetch(request, taskEnv, new ExecutionContext(exchange));
  if (!hasGlobalListener('fetch')) {
    throw new TypeError(`There is no fetch handler: use ${USAGE} or addEventListener("fetch", …)`);
  }
  const event = new FetchEvent('fetch', { request, cancelable: true }, exchange);
  dispatchEvent(event);
  return answerOf(event);
}

// Runs `action` with a module's handler: for the warm-up.
export function withHandler(namespace, action) {
  loaded(namespace);
  try {
    action();
  } finally {
    target = null;
  }
}
