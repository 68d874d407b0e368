// Sends a body that comes in parts, as fast as the client takes it.

import { isUint8Array } from './bytes.js';
import { IncomingBody } from './incoming_body.js';
import { formatError } from './inspect.js';
import { readerOf } from './streams.js';

const LARGEST_PART = 65536; // bytes: small enough for a fair share of the doorbell, large enough to cost little

// `source` is a ReadableStream or an IncomingBody. Never rejects.
export async function sendBody(exchange, source) {
  const { read, cancel } = source instanceof IncomingBody ? partsOfIncoming(source) : partsOfStream(source);
  exchange.cancelSource = cancel;
  try {
    let wanted = true;
    let part = await read();
    while (part !== null && wanted && !exchange.aborted) {
      wanted = await sendPart(exchange, part);
      if (wanted) part = await read();
    }
    if (!wanted) cancel(new TypeError('The response was ended'));
    else if (!exchange.aborted) ops.respondEnd(exchange.id);
  } catch (error) {
    if (!exchange.aborted) {
      ops.respondFail(exchange.id, formatError(error));
      cancel(error);
    }
  }
  exchange.cancelSource = null;
  exchange.answered();
}

// Returns whether more is wanted: not after the native side has failed the response, as for a wrong Content-Length.
async function sendPart(exchange, part) {
  for (let at = 0; at < part.byteLength && !exchange.aborted; at += LARGEST_PART) {
    const left = ops.respondChunk(exchange.id, part.byteLength <= LARGEST_PART ? part : part.subarray(at, at + LARGEST_PART));
    if (left === undefined) return false;
    exchange.setCredit(left);
    if (left <= 0) await exchange.creditOrAbort();
  }
  return true;
}

const partsOfIncoming = (incoming) => ({ read: () => incoming.read(), cancel: (reason) => incoming.cancel(reason) });

function partsOfStream(stream) {
  const reader = readerOf(stream);
  return {
    async read() {
      const { done, value } = await reader.read();
      if (done) return null;
      if (!isUint8Array(value)) throw new TypeError(`The response's stream has a chunk of type ${typeof value}; only Uint8Array can be sent`);
      return value;
    },
    cancel: (reason) => quietly(() => reader.cancel(reason)),
  };
}

async function quietly(action) {
  try {
    await action();
  } catch {
    // whoever made the stream has already seen this error, or asked not to
  }
}
