// What the native side may call. Their names and arguments are its half of the contract.

import { abort, bodyChunk, bodyEnd, bodyFailed, credit, dispatch } from './dispatch.js';
import { DOMException } from './domexception.js';
import { limitNear, rejectionHandled, unhandledRejection } from './global_events.js';
import { loaded } from './handler.js';
import { formatError } from './inspect.js';
import { boot } from './process.js';
import { reportException } from './report_error.js';
import { timerDue } from './timers.js';
import { warmUp } from './warm_up.js';

export const hooks = {
  start() {}, // nothing here depends on when the snapshot was made
  boot,
  loaded,
  dispatch,
  bodyChunk,
  bodyEnd,
  bodyFailed,
  abort,
  credit,
  timer: timerDue,
  unhandledRejection,
  rejectionHandled,
  uncaught: reportException,
  formatError,
  limitNear,
  dataCloneError: (message) => new DOMException(message, 'DataCloneError'),
  warmUp,
};
