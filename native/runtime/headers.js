// Headers. https://fetch.spec.whatwg.org/#headers-class
//
// A list is a flat array: name, value, name, value …, names in lower case. A request's headers come from the native side
// as one string and are split when somebody looks. Forbidden header names are not enforced: a server may send them.

import { normalName, normalValue } from './header_rules.js';
import { defineIterable, finishInterface, isObject, requireArguments } from './webidl.js';

const { ownKeys } = Reflect;
const isEnumerable = Function.prototype.call.bind(Object.prototype.propertyIsEnumerable);
const COOKIE = 'set-cookie';

// For the other files of the runtime; not reachable by programs.
export let headersFromWire; // (flat string) -> immutable Headers
export let wireOfHeaders; // (headers) -> flat string
export let listOf; // (headers) -> its list; not to be changed
export let copyHeaders; // (headers) -> mutable Headers with the same list
export let freezeHeaders; // (headers) -> the same, immutable from now on
export let addIfAbsent; // (headers, lower-case name, value), whatever the guard

export class Headers {
  #list = [];
  #wire = null; // not split yet
  #immutable = false;
  #sorted = null; // cache for iteration

  constructor(init = undefined) {
    if (init === undefined) return;
    if (!isObject(init)) throw new TypeError('Headers constructor: init is neither an object nor a sequence of pairs');
    this.#fill(init);
  }

  append(name, value) {
    requireArguments(arguments.length, 2, 'Headers.append');
    const key = normalName(name);
    const text = normalValue(value, key);
    this.#change();
    this.#list.push(key, text);
  }

  delete(name) {
    requireArguments(arguments.length, 1, 'Headers.delete');
    const key = normalName(name);
    this.#change();
    this.#remove(key, 0);
  }

  get(name) {
    requireArguments(arguments.length, 1, 'Headers.get');
    const key = normalName(name);
    const list = this.#split();
    let found = null;
    for (let index = 0; index < list.length; index += 2) {
      if (list[index] === key) found = found === null ? list[index + 1] : `${found}, ${list[index + 1]}`;
    }
    return found;
  }

  getSetCookie() {
    const list = this.#split();
    const cookies = [];
    for (let index = 0; index < list.length; index += 2) {
      if (list[index] === COOKIE) cookies.push(list[index + 1]);
    }
    return cookies;
  }

  has(name) {
    requireArguments(arguments.length, 1, 'Headers.has');
    return this.#find(normalName(name)) >= 0;
  }

  set(name, value) {
    requireArguments(arguments.length, 2, 'Headers.set');
    const key = normalName(name);
    const text = normalValue(value, key);
    this.#change();
    const index = this.#find(key);
    if (index < 0) {
      this.#list.push(key, text);
    } else {
      this.#list[index + 1] = text;
      this.#remove(key, index + 2);
    }
  }

  #split() {
    if (this.#wire !== null) {
      const list = this.#wire.split('\n');
      list.pop(); // each value ends with \n
      for (let index = 0; index < list.length; index += 2) list[index] = normalName(list[index]);
      this.#list = list;
      this.#wire = null;
    }
    return this.#list;
  }

  #find(key) {
    const list = this.#split();
    for (let index = 0; index < list.length; index += 2) {
      if (list[index] === key) return index;
    }
    return -1;
  }

  #remove(key, from) {
    const list = this.#list;
    let to = from;
    for (let index = from; index < list.length; index += 2) {
      if (list[index] === key) continue;
      list[to] = list[index];
      list[to + 1] = list[index + 1];
      to += 2;
    }
    list.length = to;
  }

  #change() {
    if (this.#immutable) throw new TypeError('These headers are immutable; copy them first: new Headers(headers)');
    this.#split();
    this.#sorted = null;
  }

  #fill(init) {
    if (#list in init && init[Symbol.iterator] === Headers.prototype[Symbol.iterator]) {
      this.#list = init.#split().slice();
      return;
    }
    const iterate = init[Symbol.iterator];
    if (iterate !== undefined && iterate !== null) this.#fillFromPairs(init, iterate);
    else this.#fillFromRecord(init);
  }

  #fillFromPairs(init, iterate) {
    if (typeof iterate !== 'function') throw new TypeError('Headers constructor: Symbol.iterator of init is not a function');
    for (const pair of { [Symbol.iterator]: () => Reflect.apply(iterate, init, []) }) {
      if (!isObject(pair) || typeof pair[Symbol.iterator] !== 'function') {
        throw new TypeError('Headers constructor: an item of the sequence is not a pair');
      }
      const [...items] = pair;
      if (items.length !== 2) throw new TypeError(`Headers constructor: an item has ${items.length} elements instead of name and value`);
      this.append(items[0], items[1]);
    }
  }

  #fillFromRecord(init) {
    const list = this.#list;
    for (const key of ownKeys(init)) {
      if (!isEnumerable(init, key)) continue;
      if (typeof key === 'symbol') throw new TypeError('Headers constructor: a symbol is not a header name');
      const name = normalName(key);
      list.push(name, normalValue(init[key], name));
    }
  }

  #pairs() {
    if (this.#sorted !== null) return this.#sorted;
    const list = this.#split();
    const combined = new Map();
    const pairs = [];
    for (let index = 0; index < list.length; index += 2) {
      const name = list[index];
      const pair = name === COOKIE ? undefined : combined.get(name);
      if (pair !== undefined) {
        pair[1] += `, ${list[index + 1]}`;
      } else {
        const added = [name, list[index + 1]];
        pairs.push(added);
        if (name !== COOKIE) combined.set(name, added);
      }
    }
    return (this.#sorted = pairs.sort((one, other) => (one[0] < other[0] ? -1 : one[0] > other[0] ? 1 : 0)));
  }

  static {
    headersFromWire = (wire) => {
      const headers = new Headers();
      headers.#wire = wire;
      headers.#immutable = true;
      return headers;
    };
    wireOfHeaders = (headers) => {
      if (headers.#wire !== null) return headers.#wire;
      const list = headers.#list;
      return list.length === 0 ? '' : `${list.join('\n')}\n`;
    };
    listOf = (headers) => headers.#split();
    copyHeaders = (headers) => {
      const copy = new Headers();
      copy.#list = headers.#split().slice();
      return copy;
    };
    freezeHeaders = (headers) => {
      headers.#immutable = true;
      return headers;
    };
    addIfAbsent = (headers, name, value) => {
      if (headers.#find(name) >= 0) return;
      headers.#list.push(name, value);
      headers.#sorted = null;
    };
    defineIterable(Headers, 'Headers', (headers) => headers.#pairs());
  }
}
finishInterface(Headers, 'Headers');
