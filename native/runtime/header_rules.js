// What names and values of header fields may be. https://fetch.spec.whatwg.org/#headers-class

import { toByteString } from './webidl.js';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const PLAIN_VALUE = /^(?:[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?)?$/; // nothing to strip, nothing to refuse
const OUTER_SPACE = /^[\t\n\r ]+|[\t\n\r ]+$/g;
const FORBIDDEN = /[\0\n\r]/;
const REASON_PHRASE = /^[\t\x20-\x7e\x80-\xff]*$/;

// Names repeat endlessly, so each is checked and lowered once. Bounded: names may come from outside.
const MOST_NAMES = 512;
const names = new Map();

export function normalName(name) {
  const known = names.get(name);
  if (known !== undefined) return known;
  const text = `${name}`;
  if (!TOKEN.test(text)) throw new TypeError(`Invalid header name: ${JSON.stringify(text)}`);
  const lower = text.toLowerCase();
  if (names.size < MOST_NAMES) names.set(text, lower);
  return lower;
}

// Strips the space around; what is inside may be anything but NUL, CR and LF.
export function normalValue(value, name) {
  let text = `${value}`;
  if (PLAIN_VALUE.test(text)) return text;
  text = toByteString(text, `The value of header "${name}"`).replace(OUTER_SPACE, '');
  if (FORBIDDEN.test(text)) throw new TypeError(`The value of header "${name}" has a NUL, CR or LF in it`);
  return text;
}

export function reasonPhrase(value) {
  const text = `${value}`;
  if (!REASON_PHRASE.test(text)) throw new TypeError(`Invalid statusText: ${JSON.stringify(text)}`);
  return text;
}
