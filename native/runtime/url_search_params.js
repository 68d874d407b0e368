// URLSearchParams. https://url.spec.whatwg.org/#interface-urlsearchparams

import { showAs } from './inspect.js';
import { parseUrlEncoded, serializeUrlEncoded } from './url_encoded.js';
import { defineIterable, finishInterface, isObject, requireArguments, toUSVString } from './webidl.js';

function pairsOfSequence(sequence) {
  const pairs = [];
  for (const item of sequence) {
    if (!isObject(item) || typeof item[Symbol.iterator] !== 'function') throw new TypeError('URLSearchParams: an element is not a pair of a name and a value');
    const pair = [...item];
    if (pair.length !== 2) throw new TypeError(`URLSearchParams: an element has ${pair.length} items; a name and a value are needed`);
    pairs.push([toUSVString(pair[0]), toUSVString(pair[1])]);
  }
  return pairs;
}

function pairsOfRecord(record) {
  const values = new Map(); // names that are equal once they are well-formed: the last one counts
  for (const key of Reflect.ownKeys(record)) {
    if (!Reflect.getOwnPropertyDescriptor(record, key)?.enumerable) continue;
    values.set(toUSVString(key), toUSVString(record[key]));
  }
  return [...values];
}

function toPairs(init) {
  if (!isObject(init)) {
    const text = toUSVString(init);
    return parseUrlEncoded(text[0] === '?' ? text.slice(1) : text);
  }
  const iterator = init[Symbol.iterator];
  if (iterator === undefined || iterator === null) return pairsOfRecord(init);
  if (typeof iterator !== 'function') throw new TypeError('URLSearchParams: the Symbol.iterator of the argument is not a function');
  return pairsOfSequence(init);
}

export class URLSearchParams {
  #pairs;
  #changed = undefined; // told the new text after each change, when these are the parameters of a URL

  constructor(init = '') { this.#pairs = toPairs(init); }

  get size() { return this.#pairs.length; }

  append(name, value) {
    requireArguments(arguments.length, 2, 'URLSearchParams.append');
    this.#pairs.push([toUSVString(name), toUSVString(value)]);
    this.#update();
  }

  delete(name, value = undefined) {
    requireArguments(arguments.length, 1, 'URLSearchParams.delete');
    const matches = matcher(name, value);
    this.#pairs = this.#pairs.filter((pair) => !matches(pair));
    this.#update();
  }

  get(name) {
    requireArguments(arguments.length, 1, 'URLSearchParams.get');
    const found = this.#pairs.find(matcher(name));
    return found === undefined ? null : found[1];
  }

  getAll(name) {
    requireArguments(arguments.length, 1, 'URLSearchParams.getAll');
    return this.#pairs.filter(matcher(name)).map((pair) => pair[1]);
  }

  has(name, value = undefined) {
    requireArguments(arguments.length, 1, 'URLSearchParams.has');
    return this.#pairs.some(matcher(name, value));
  }

  set(name, value) {
    requireArguments(arguments.length, 2, 'URLSearchParams.set');
    const matches = matcher(name);
    const text = toUSVString(value);
    const first = this.#pairs.find(matches);
    if (first === undefined) {
      this.#pairs.push([toUSVString(name), text]);
    } else {
      first[1] = text;
      this.#pairs = this.#pairs.filter((pair) => pair === first || !matches(pair));
    }
    this.#update();
  }

  sort() {
    this.#pairs.sort(([left], [right]) => (left < right ? -1 : left > right ? 1 : 0));
    this.#update();
  }

  toString() { return serializeUrlEncoded(this.#pairs); }

  #update() { this.#changed?.(serializeUrlEncoded(this.#pairs)); }

  static {
    pairsOf = (params) => params.#pairs;
    linkedParams = (query, changed) => {
      const params = new URLSearchParams();
      params.#pairs = parseUrlEncoded(query);
      params.#changed = changed;
      return params;
    };
    resetParams = (params, query) => { params.#pairs = parseUrlEncoded(query); };
  }
}

// Whether a pair has this name, and this value if one is given.
function matcher(name, value = undefined) {
  const wantedName = toUSVString(name);
  if (value === undefined) return (pair) => pair[0] === wantedName;
  const wantedValue = toUSVString(value);
  return (pair) => pair[0] === wantedName && pair[1] === wantedValue;
}

let pairsOf;
export let linkedParams; // (query, changed) -> parameters that call changed(text) whenever they change
export let resetParams; // (params, query): gives linked ones the URL's new query

finishInterface(URLSearchParams, 'URLSearchParams');
defineIterable(URLSearchParams, 'URLSearchParams', (params) => pairsOf(params));
showAs(URLSearchParams, (params) => pairsOf(params));
