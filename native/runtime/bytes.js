// What is a piece of bytes, and copies of them.

const tagOfTypedArray = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get;
const { apply } = Reflect;
const { isView } = ArrayBuffer;

// True for a Uint8Array; not fooled by a prototype or a Symbol.toStringTag that the program made.
export const isUint8Array = (value) => isView(value) && apply(tagOfTypedArray, value, []) === 'Uint8Array';

export const isBufferSource = (value) => isView(value) || value instanceof ArrayBuffer;

// The bytes of a BufferSource, in place.
export const viewBytes = (source) =>
  (isView(source) ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength) : new Uint8Array(source));

// The same, copied, so that the program cannot change them afterwards.
export const copyBytes = (source) => new Uint8Array(isUint8Array(source) ? source : viewBytes(source));

export function joinBytes(pieces) {
  if (pieces.length === 1) return pieces[0];
  let size = 0;
  for (const piece of pieces) size += piece.byteLength;
  const bytes = new Uint8Array(size);
  let offset = 0;
  for (const piece of pieces) {
    bytes.set(piece, offset);
    offset += piece.byteLength;
  }
  return bytes;
}

// Index of `needle` in `bytes` at or after `from`, or -1.
export function indexOfBytes(bytes, needle, from) {
  const last = bytes.byteLength - needle.byteLength;
  for (let at = bytes.indexOf(needle[0], from); at >= 0 && at <= last; at = bytes.indexOf(needle[0], at + 1)) {
    let matched = 1;
    while (matched < needle.byteLength && bytes[at + matched] === needle[matched]) matched++;
    if (matched === needle.byteLength) return at;
  }
  return -1;
}
