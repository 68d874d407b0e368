// What Request and Response share: body, bodyUsed and the methods that read the body.
// https://fetch.spec.whatwg.org/#body-mixin

import { blobOfBytes } from './blob.js';
import { bodyIsUsed, contentBytes, streamOfBody, takeBody } from './body.js';
import { isUint8Array, joinBytes } from './bytes.js';
import { parseFormData } from './form_parse.js';
import { IncomingBody } from './incoming_body.js';
import { readerOf } from './streams.js';

const isComplete = (taken) => typeof taken === 'string' || isUint8Array(taken);

// All of a body that takeBody() returned in parts.
async function readAll(taken) {
  if (isComplete(taken)) return taken;
  const chunks = [];
  if (taken instanceof IncomingBody) {
    for (let chunk = await taken.read(); chunk !== null; chunk = await taken.read()) chunks.push(chunk);
  } else {
    const reader = readerOf(taken);
    for (let result = await reader.read(); !result.done; result = await reader.read()) {
      if (!isUint8Array(result.value)) throw new TypeError('The body stream has a chunk that is not a Uint8Array');
      chunks.push(result.value);
    }
  }
  return joinBytes(chunks);
}

function contentText(content) {
  if (typeof content !== 'string') return ops.utf8Decode(content, false, false);
  const text = content.toWellFormed();
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

// Gives a class body, bodyUsed and the methods that read it. `bodyOf(object)` returns its Body or null and throws a
// TypeError for a foreign object; `typeOf(object)` its content type or ''.
export function defineBody(constructor, bodyOf, typeOf) {
  const take = (object) => {
    const body = bodyOf(object);
    return body === null ? '' : takeBody(body);
  };
  // Bytes that belong to the caller.
  const takeBytes = async (object) => {
    const shared = bodyOf(object)?.shared;
    const taken = take(object);
    const bytes = contentBytes(isComplete(taken) ? taken : await readAll(taken));
    return (shared && bytes === taken) || bytes.byteLength !== bytes.buffer.byteLength ? bytes.slice() : bytes;
  };
  const members = {
    get body() {
      const body = bodyOf(this);
      return body === null ? null : streamOfBody(body);
    },
    get bodyUsed() {
      const body = bodyOf(this);
      return body !== null && bodyIsUsed(body);
    },
    async arrayBuffer() { return (await takeBytes(this)).buffer; },
    async blob() { return blobOfBytes(await takeBytes(this), typeOf(this).toLowerCase()); },
    async bytes() { return takeBytes(this); },
    async formData() { return parseFormData(contentBytes(await readAll(take(this))), typeOf(this)); },
    async json() {
      const taken = take(this);
      return JSON.parse(contentText(isComplete(taken) ? taken : await readAll(taken)));
    },
    async text() {
      const taken = take(this);
      return contentText(isComplete(taken) ? taken : await readAll(taken));
    },
  };
  Object.defineProperties(constructor.prototype, Object.getOwnPropertyDescriptors(members));
}
