// What a Request may be made of. https://fetch.spec.whatwg.org/#requestinit

import { toEnumeration, toUSVString } from './webidl.js';
import { URL } from './url.js';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const NORMALIZED = new Set(['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT']);
const FORBIDDEN = new Set(['CONNECT', 'TRACE', 'TRACK']);

export function toMethod(value) {
  const text = `${value}`;
  const upper = text.toUpperCase();
  if (NORMALIZED.has(upper)) return upper;
  if (!TOKEN.test(text) || FORBIDDEN.has(upper)) throw new TypeError(`Request constructor: the method "${text}" is not allowed`);
  return text;
}

// Returns the normalised URL of a string, URL or anything with a string form.
export function toRequestUrl(input) {
  let url;
  try {
    url = new URL(input);
  } catch {
    throw new TypeError(`Request constructor: "${toUSVString(input)}" is not a valid absolute URL`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new TypeError(`Request constructor: the URL "${url.href}" has a user name or password; send an Authorization header instead`);
  }
  return url.href;
}

// Members that this host carries but does not act upon. A frozen value, shared by all requests that do not differ.
export const defaults = Object.freeze({
  mode: 'cors',
  credentials: 'same-origin',
  cache: 'default',
  redirect: 'follow',
  referrer: 'about:client',
  referrerPolicy: '',
  integrity: '',
  keepalive: false,
});

// What a request from outside has: who passes it on must see redirects, not follow them.
export const incomingDefaults = Object.freeze({ ...defaults, redirect: 'manual' });

const POLICIES = [
  '', 'no-referrer', 'no-referrer-when-downgrade', 'same-origin', 'origin', 'strict-origin', 'origin-when-cross-origin',
  'strict-origin-when-cross-origin', 'unsafe-url',
];
const CACHES = ['default', 'no-store', 'reload', 'no-cache', 'force-cache', 'only-if-cached'];
const convert = {
  mode: (value) => toEnumeration(value, ['same-origin', 'no-cors', 'cors'], 'Request constructor: mode'),
  credentials: (value) => toEnumeration(value, ['omit', 'same-origin', 'include'], 'Request constructor: credentials'),
  cache: (value) => toEnumeration(value, CACHES, 'Request constructor: cache'),
  redirect: (value) => toEnumeration(value, ['follow', 'error', 'manual'], 'Request constructor: redirect'),
  referrer: (value) => `${value}`,
  referrerPolicy: (value) => toEnumeration(value, POLICIES, 'Request constructor: referrerPolicy'),
  integrity: (value) => `${value}`,
  keepalive: (value) => !!value,
};

// `base` with what `init` says; the same object when it says nothing.
export function mergeOptions(base, init) {
  let merged = base;
  for (const name in convert) {
    const value = init[name];
    if (value === undefined) continue;
    const converted = convert[name](value);
    if (converted === merged[name]) continue;
    if (merged === base) merged = { ...base };
    merged[name] = converted;
  }
  if (init.window !== undefined && init.window !== null) throw new TypeError('Request constructor: window can only be null');
  return merged;
}
