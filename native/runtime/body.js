// Bodies of requests and responses. https://fetch.spec.whatwg.org/#bodies
//
// A body keeps what it was made from (string, bytes, a request body that still arrives) and becomes a stream only when
// somebody asks for one. A stream made that way remembers its body, so that new Response(response.body) costs no pumping.

import { copyBytes, isBufferSource } from './bytes.js';
import { IncomingBody } from './incoming_body.js';
import { bytesOfBlob, isBlob } from './blob.js';
import { FormData, entriesOf } from './formdata.js';
import { encodeMultipart } from './multipart.js';
import {
  ReadableStream, TransformStream, byteStream, cancelStream, isReadableStream, streamIsDisturbed, streamIsLocked,
} from './streams.js';
import { URLSearchParams } from './url.js';
import { isObject } from './webidl.js';

const origins = new WeakMap(); // stream -> the Body it was made for

export class Body {
  source; // string | Uint8Array | IncomingBody | null (only a stream is known)
  stream; // ReadableStream | null (nobody asked yet)
  type; // content type that goes with it | null
  shared; // others hold the same bytes: copy before handing them out
  used = false; // consumed without its stream

  constructor(source, stream, type, shared) {
    this.source = source;
    this.stream = stream;
    this.type = type;
    this.shared = shared;
  }
}

// "Extract a body": from anything that may be given as one, except null and undefined.
export function extractBody(object) {
  if (typeof object === 'string') return new Body(object, null, 'text/plain;charset=UTF-8', false);
  if (isReadableStream(object)) return bodyOfStream(object);
  if (isBufferSource(object)) return new Body(copyBytes(object), null, null, false);
  if (isBlob(object)) return new Body(bytesOfBlob(object), null, object.type || null, true);
  if (object instanceof URLSearchParams) {
    return new Body(object.toString(), null, 'application/x-www-form-urlencoded;charset=UTF-8', false);
  }
  if (object instanceof FormData) {
    const { bytes, type } = encodeMultipart(entriesOf(object));
    return new Body(bytes, null, type, false);
  }
  if (isObject(object) && typeof object[Symbol.asyncIterator] === 'function') return bodyOfStream(ReadableStream.from(object));
  return new Body(`${object}`, null, 'text/plain;charset=UTF-8', false);
}

function bodyOfStream(stream) {
  if (streamIsDisturbed(stream)) throw new TypeError('The stream given as a body has been read from');
  if (streamIsLocked(stream)) throw new TypeError('The stream given as a body is locked to a reader');
  const origin = origins.get(stream);
  return origin === undefined ? new Body(null, stream, null, false) : new Body(origin.source, stream, null, origin.shared);
}

export const bodyIsUsed = (body) => body.used || (body.stream !== null && streamIsDisturbed(body.stream));

export function bodyIsUnusable(body) {
  return body.used || (body.stream !== null && (streamIsDisturbed(body.stream) || streamIsLocked(body.stream)));
}

export function requireUsable(body) {
  if (bodyIsUnusable(body)) throw new TypeError('The body has already been used, or its stream is locked');
}

// The ReadableStream of a body, made now if need be.
export function streamOfBody(body) {
  if (body.stream !== null) return body.stream;
  const { source } = body;
  if (body.used) {
    body.stream = byteStream(async () => null);
    cancelStream(body.stream);
  } else if (source instanceof IncomingBody) {
    body.stream = byteStream(() => source.read(), (reason) => { if (!body.used) source.cancel(reason); });
  } else {
    let given = false;
    body.stream = byteStream(async () => {
      if (given || source.length === 0) return null;
      given = true;
      const bytes = contentBytes(source);
      return body.shared ? bytes.slice() : bytes;
    });
  }
  origins.set(body.stream, body);
  return body.stream;
}

// Takes the body as what is cheapest to send or read: string, Uint8Array, IncomingBody or ReadableStream. It counts as used.
export function takeBody(body) {
  requireUsable(body);
  const { source, stream } = body;
  if (source === null) return stream;
  body.used = true;
  if (stream !== null) {
    const origin = origins.get(stream);
    origin.used = true;
    cancelStream(stream);
  }
  body.source = null;
  return source;
}

// A new body with the content of this one, which counts as used.
export function handOverBody(body) {
  const { type, shared } = body;
  const taken = takeBody(body);
  if (!isReadableStream(taken)) return new Body(taken, null, type, shared);
  return new Body(null, taken.pipeThrough(new TransformStream()), type, false);
}

// Two bodies for one; streams are teed.
export function cloneBody(body) {
  requireUsable(body);
  if (body.stream === null && !(body.source instanceof IncomingBody)) {
    body.shared = true;
    return new Body(body.source, null, body.type, true);
  }
  const [mine, other] = streamOfBody(body).tee();
  body.stream = mine;
  body.source = null;
  return new Body(null, other, body.type, false);
}

// The bytes of a complete body.
export const contentBytes = (content) => (typeof content === 'string' ? ops.utf8Encode(content) : content);
