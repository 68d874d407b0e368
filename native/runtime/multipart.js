// multipart/form-data, both ways. https://html.spec.whatwg.org/#multipart-form-data, RFC 7578

import { File, bytesOfBlob, isBlob } from './blob.js';
import { indexOfBytes, joinBytes } from './bytes.js';
import { FormData } from './formdata.js';

const LONE_NEWLINE = /\r(?!\n)|(?<!\r)\n/g;
const CRLF = new Uint8Array([13, 10]);
const BLANK_LINE = new Uint8Array([13, 10, 13, 10]);
const DASH = 45;

// Returns {bytes, type}: the body and the content type that names its boundary.
export function encodeMultipart(entries) {
  const boundary = `----formdata-${ops.randomUUID()}`;
  const pieces = [];
  for (const [name, value] of entries) {
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="${escapeName(name.replace(LONE_NEWLINE, '\r\n'))}"`;
    if (isBlob(value)) {
      const type = value.type || 'application/octet-stream';
      pieces.push(ops.utf8Encode(`${head}; filename="${escapeName(value.name)}"\r\nContent-Type: ${type}\r\n\r\n`), bytesOfBlob(value), CRLF);
    } else {
      pieces.push(ops.utf8Encode(`${head}\r\n\r\n${value.replace(LONE_NEWLINE, '\r\n')}\r\n`));
    }
  }
  pieces.push(ops.utf8Encode(`--${boundary}--\r\n`));
  return { bytes: joinBytes(pieces), type: `multipart/form-data; boundary=${boundary}` };
}

const escapeName = (name) => name.replace(/\n/g, '%0A').replace(/\r/g, '%0D').replace(/"/g, '%22');
const unescapeName = (name) => name.replace(/%0A/gi, '\n').replace(/%0D/gi, '\r').replace(/%22/g, '"');

// Returns a FormData. Throws a TypeError that says what is wrong.
export function parseMultipart(bytes, boundary) {
  const form = new FormData();
  const delimiter = ops.utf8Encode(`\r\n--${boundary}`);
  let at = firstDelimiter(bytes, delimiter);
  for (;;) {
    if (bytes[at] === DASH && bytes[at + 1] === DASH) return form;
    if (bytes[at] !== 13 || bytes[at + 1] !== 10) throw malformed('a boundary is not followed by a line break');
    const headEnd = indexOfBytes(bytes, BLANK_LINE, at);
    const bodyEnd = headEnd < 0 ? -1 : indexOfBytes(bytes, delimiter, headEnd + 2);
    if (bodyEnd < 0) throw malformed('a part has no end');
    const head = ops.utf8Decode(bytes.subarray(at + 2, headEnd), false, true);
    appendPart(form, parseHead(head), bytes.subarray(headEnd + 4, Math.max(headEnd + 4, bodyEnd)));
    at = bodyEnd + delimiter.byteLength;
  }
}

const malformed = (what) => new TypeError(`The body is not valid multipart/form-data: ${what}`);

// Index after the first boundary; anything before it is ignored.
function firstDelimiter(bytes, delimiter) {
  const first = delimiter.subarray(2);
  if (indexOfBytes(bytes.subarray(0, first.byteLength), first, 0) === 0) return first.byteLength;
  const at = indexOfBytes(bytes, delimiter, 0);
  if (at < 0) throw malformed('its boundary does not occur');
  return at + delimiter.byteLength;
}

function parseHead(head) {
  const fields = { name: undefined, filename: undefined, type: 'text/plain' };
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':');
    if (colon < 0) throw malformed('a part has a header without a colon');
    const value = line.slice(colon + 1).trim();
    const field = line.slice(0, colon).trim().toLowerCase();
    if (field === 'content-type') fields.type = value;
    if (field === 'content-disposition') parseDisposition(value, fields);
  }
  if (fields.name === undefined) throw malformed('a part has no name');
  return fields;
}

function parseDisposition(value, fields) {
  if (!/^form-data\s*(;|$)/i.test(value)) throw malformed('a part is not form-data');
  for (const [, name, quoted, plain] of value.matchAll(/;\s*(name|filename)\s*=\s*(?:"([^"]*)"|([^\s;]*))/gi)) {
    fields[name.toLowerCase()] = unescapeName(quoted ?? plain);
  }
}

function appendPart(form, { name, filename, type }, content) {
  if (filename === undefined) form.append(name, ops.utf8Decode(content, false, true));
  else form.append(name, new File([content], filename, { type }));
}
