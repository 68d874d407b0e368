// How the arguments of one console call become text. https://console.spec.whatwg.org/#formatter

import { inspect } from './inspect.js';

const MAX_TEXT = 65_536; // characters of one call
const { toString: symbolToString } = Symbol.prototype;

const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';

// Strings as they are, everything else as inspect shows it.
const plain = (value) => (typeof value === 'string' ? value : inspect(value));

function asString(value) {
  if (typeof value === 'string') return value;
  return isObject(value) ? inspect(value, { depth: 0 }) : inspect(value);
}

// %d %i %f: objects are not converted, for that would run their code.
function asNumber(value, convert) {
  if (typeof value === 'bigint') return inspect(value);
  return isObject(value) || typeof value === 'symbol' ? 'NaN' : inspect(convert(value));
}

function asJson(value) {
  try {
    return `${JSON.stringify(value)}`;
  } catch {
    return inspect(value);
  }
}

const SPECIFIERS = {
  s: asString,
  d: (value) => asNumber(value, Number),
  i: (value) => asNumber(value, (given) => Number.parseInt(given, 10)),
  f: (value) => asNumber(value, Number.parseFloat),
  j: asJson,
  o: (value) => inspect(value, { depth: 8 }),
  O: (value) => inspect(value),
  c: () => '', // CSS, which a log has no use for
};

function substitute(template, values) {
  return template.replace(/%[sdifjoOc%]/g, (specifier) => {
    if (specifier === '%%') return '%';
    return values.length === 0 ? specifier : SPECIFIERS[specifier[1]](values.shift());
  });
}

export function formatArguments(values) {
  let rest = values;
  let text = '';
  if (typeof values[0] === 'string') {
    rest = values.slice(1);
    text = rest.length > 0 && values[0].includes('%') ? substitute(values[0], rest) : values[0];
  } else if (values.length > 0) {
    rest = values.slice(1);
    text = inspect(values[0]);
  }
  for (const value of rest) {
    if (text.length > MAX_TEXT) break;
    text += ` ${plain(value)}`;
  }
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}… cut here: ${text.length - MAX_TEXT} more characters` : text;
}

export const symbolOrString = (value) => (typeof value === 'symbol' ? symbolToString.call(value) : `${value}`);
