// Blob and File, held in memory. https://w3c.github.io/FileAPI/

import { isBufferSource, joinBytes, viewBytes } from './bytes.js';
import { byteStream } from './streams.js';
import { finishInterface, isObject, requireArguments, toEnumeration, toUSVString } from './webidl.js';

export let bytesOfBlob; // (blob) -> its Uint8Array: not to be changed or handed out; TypeError for another object
export let blobOfBytes; // (Uint8Array that nobody else changes, type) -> Blob

export const isBlob = (value) => value instanceof Blob;

export class Blob {
  #bytes;
  #type = '';

  constructor(parts = undefined, options = undefined) {
    const { endings, type } = blobOptions(options);
    this.#bytes = parts === undefined ? new Uint8Array(0) : join(partsOf(parts), endings);
    this.#type = type;
  }

  get size() { return this.#bytes.byteLength; }
  get type() { return this.#type; }

  slice(start = 0, end = undefined, contentType = '') {
    const size = this.#bytes.byteLength;
    const from = position(start, size);
    const to = end === undefined ? size : position(end, size);
    return blobOfBytes(this.#bytes.subarray(from, Math.max(from, to)), blobType(contentType));
  }

  async text() { return ops.utf8Decode(this.#bytes, false, false); }
  async arrayBuffer() { return this.#bytes.slice().buffer; }
  async bytes() { return this.#bytes.slice(); }

  stream() {
    let rest = this.#bytes;
    return byteStream(async () => {
      if (rest.byteLength === 0) return null;
      const chunk = rest.slice(0, STREAM_PART);
      rest = rest.subarray(chunk.byteLength);
      return chunk;
    }, undefined);
  }

  static {
    bytesOfBlob = (blob) => blob.#bytes;
    blobOfBytes = (bytes, type) => {
      const blob = new Blob();
      blob.#bytes = bytes;
      blob.#type = type;
      return blob;
    };
  }
}
finishInterface(Blob, 'Blob');

const STREAM_PART = 65536;

export class File extends Blob {
  #name;
  #lastModified;
  constructor(parts, name, options = undefined) {
    requireArguments(arguments.length, 2, 'File constructor');
    super(parts, options);
    this.#name = toUSVString(name);
    const time = options?.lastModified;
    this.#lastModified = time === undefined ? Date.now() : Math.trunc(Number(time)) || 0;
  }
  get name() { return this.#name; }
  get lastModified() { return this.#lastModified; }
  get webkitRelativePath() { return ''; }
}
finishInterface(File, 'File');

function blobOptions(options) {
  if (options === undefined || options === null) return { endings: 'transparent', type: '' };
  if (!isObject(options)) throw new TypeError('Blob constructor: the options are not an object');
  const { endings = 'transparent', type = '' } = options;
  return { endings: toEnumeration(endings, ['transparent', 'native'], 'Blob constructor: endings'), type: blobType(type) };
}

// Types with anything but printable ASCII count as none.
function blobType(type) {
  const text = `${type}`;
  return /^[\x20-\x7e]*$/.test(text) ? text.toLowerCase() : '';
}

function position(value, size) {
  const number = Math.trunc(Number(value)) || 0;
  return number < 0 ? Math.max(size + number, 0) : Math.min(number, size);
}

function partsOf(parts) {
  if (!isObject(parts) || typeof parts[Symbol.iterator] !== 'function') {
    throw new TypeError('Blob constructor: the parts are not a sequence');
  }
  return [...parts];
}

// Always a copy: joinBytes() of one piece is that piece.
function join(parts, endings) {
  const bytes = joinBytes(parts.map((part) => bytesOfPart(part, endings)));
  return parts.length === 1 && isBufferSource(parts[0]) ? bytes.slice() : bytes;
}

function bytesOfPart(part, endings) {
  if (isBlob(part)) return bytesOfBlob(part);
  if (isBufferSource(part)) return viewBytes(part);
  const text = `${part}`;
  return ops.utf8Encode(endings === 'native' ? text.replace(/\r\n|\r/g, '\n') : text);
}
