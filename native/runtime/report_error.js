// What happens to an error that nobody caught: the global `error` event, else the log.
// https://html.spec.whatwg.org/multipage/webappapis.html#report-the-exception

import { formatError } from './inspect.js';

const LEVEL_ERROR = 3;

let announce = () => true; // (error) -> false if a listener prevented the default; set by global_events.js
let announcing = false;

export function setAnnouncer(callback) {
  announce = callback;
}

// Never throws.
export function reportException(error) {
  let wanted = true;
  if (!announcing) { // an error thrown by a listener of `error` is only logged, or it would go round for ever
    announcing = true;
    try {
      wanted = announce(error);
    } finally {
      announcing = false;
    }
  }
  if (wanted) ops.log(LEVEL_ERROR, `Uncaught ${formatError(error)}`);
}

export function reportError(error) {
  if (arguments.length < 1) throw new TypeError('reportError: 1 argument required, but only 0 present');
  reportException(error);
}
