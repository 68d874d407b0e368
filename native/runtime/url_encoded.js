// application/x-www-form-urlencoded. https://url.spec.whatwg.org/#application/x-www-form-urlencoded

const { utf8Decode, utf8Encode } = ops;

const PERCENT = 0x25;

const hexDigit = (byte) => {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
};

// Percent-decodes text in which some escapes are malformed or not UTF-8, which decodeURIComponent refuses.
function decodeLeniently(text) {
  const bytes = utf8Encode(text);
  let length = 0;
  for (let at = 0; at < bytes.length; at++) {
    const high = bytes[at] === PERCENT && at + 2 < bytes.length ? hexDigit(bytes[at + 1]) : -1;
    const low = high < 0 ? -1 : hexDigit(bytes[at + 2]);
    if (low < 0) {
      bytes[length++] = bytes[at];
    } else {
      bytes[length++] = high * 16 + low;
      at += 2;
    }
  }
  return utf8Decode(bytes.subarray(0, length), false, true);
}

function decodePart(part) {
  const text = part.includes('+') ? part.replaceAll('+', ' ') : part;
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return decodeLeniently(text);
  }
}

// [[name, value], …] of a query string without its "?".
export function parseUrlEncoded(text) {
  const pairs = [];
  for (const piece of text.split('&')) {
    if (piece === '') continue;
    const equals = piece.indexOf('=');
    if (equals < 0) pairs.push([decodePart(piece), '']);
    else pairs.push([decodePart(piece.slice(0, equals)), decodePart(piece.slice(equals + 1))]);
  }
  return pairs;
}

// encodeURIComponent leaves some characters that this format encodes, and encodes the space differently.
const DIFFERENT = /%20|[!'()~]/g;
const REPLACEMENT = { '%20': '+', '!': '%21', "'": '%27', '(': '%28', ')': '%29', '~': '%7E' };
const encodePart = (text) => encodeURIComponent(text).replace(DIFFERENT, (found) => REPLACEMENT[found]);

// The pairs' strings must be well-formed.
export function serializeUrlEncoded(pairs) {
  let text = '';
  for (const [name, value] of pairs) text += `${text === '' ? '' : '&'}${encodePart(name)}=${encodePart(value)}`;
  return text;
}
