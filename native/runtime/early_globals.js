// The streams polyfill looks for these on the global object when it is evaluated: main.js imports this file first.

import { AbortController, AbortSignal } from './abort.js';
import { DOMException } from './domexception.js';
import { queueMicrotask } from './timers.js';

Object.assign(globalThis, { self: globalThis, AbortController, AbortSignal, DOMException, queueMicrotask });
