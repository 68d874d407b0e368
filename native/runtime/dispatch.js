// From a request of the native side to the answer that it is given. A handler that returns a string or bytes, at once or
// through a promise, passes here without a stream and without an entry in any table.

import { isUint8Array } from './bytes.js';
import { takeBody } from './body.js';
import { Exchange, findExchange } from './exchange.js';
import { callHandler } from './handler.js';
import { IncomingBody } from './incoming_body.js';
import { formatError } from './inspect.js';
import { incomingRequest } from './request.js';
import { isResponse, responseBody, responseStatus, responseStatusText, responseWire } from './response.js';
import { sendBody } from './send_body.js';

const FLAG_STREAM = 1;
const FLAG_HTTPS = 2;

// Hook: a request is here.
export function dispatch(id, flags, method, target, headers, body) {
  const incoming = flags & FLAG_STREAM ? new IncomingBody(id) : null;
  const exchange = new Exchange(id, method === 'HEAD', incoming);
  if (incoming !== null && body !== undefined) incoming.push(body);
  const request = incomingRequest(exchange, (flags & FLAG_HTTPS) !== 0, method, target, headers, incoming ?? body ?? null);
  try {
    const result = callHandler(request, exchange);
    if (isResponse(result)) respond(exchange, result);
    else respondLater(exchange, result);
  } catch (error) {
    fail(exchange, error);
  }
  exchange.keepIfOpen();
}

async function respondLater(exchange, promise) {
  try {
    const response = await promise;
    if (exchange.aborted) discard(response);
    else respond(exchange, response);
  } catch (error) {
    fail(exchange, error);
  }
}

function respond(exchange, response) {
  if (!isResponse(response)) throw new TypeError(`The fetch handler returned ${describe(response)}; a Response is needed`);
  const status = responseStatus(response);
  if (status === 0) throw new TypeError('The fetch handler returned Response.error(), which cannot be sent');
  const body = responseBody(response);
  const content = body === null ? null : takeBody(body);
  const headers = responseWire(response);
  if (content === null || typeof content === 'string' || isUint8Array(content)) {
    ops.respond(exchange.id, status, responseStatusText(response), headers, content);
    exchange.answered();
  } else {
    ops.respondStart(exchange.id, status, responseStatusText(response), headers);
    if (exchange.head) endAtOnce(exchange, content);
    else sendBody(exchange, content);
  }
}

function endAtOnce(exchange, content) {
  cancelQuietly(content);
  ops.respondEnd(exchange.id);
  exchange.answered();
}

function fail(exchange, error) {
  if (exchange.aborted) return;
  ops.respondFail(exchange.id, formatError(error));
  exchange.answered();
}

// Nobody waits for this response any more; what makes its body is told so.
function discard(response) {
  const body = isResponse(response) ? responseBody(response) : null;
  if (body === null) return;
  const content = takeBody(body);
  if (typeof content !== 'string' && !isUint8Array(content)) cancelQuietly(content);
}

async function cancelQuietly(content) {
  try {
    await content.cancel();
  } catch {
    // it failed on its own
  }
}

function describe(value) {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'function') return 'a function';
  if (typeof value !== 'object') return `a ${typeof value} (${String(value).slice(0, 50)})`;
  const name = value.constructor?.name;
  return typeof name === 'string' && name !== '' && name !== 'Object' ? `an object of class ${name}` : 'a plain object';
}

// Hooks for what happens to a request after it was dispatched; numbers of finished ones are ignored.
export function bodyChunk(id, chunk) { findExchange(id)?.incoming?.push(chunk); }
export function bodyEnd(id) { findExchange(id)?.incoming?.end(); }
export function bodyFailed(id) {
  findExchange(id)?.incoming?.fail(new TypeError('The client went away before it had sent the whole request body'));
}
export function abort(id) { findExchange(id)?.abort(); }
export function credit(id, bytes) { findExchange(id)?.addCredit(bytes); }
