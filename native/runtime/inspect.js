// Values as people read them, for console and for logs.
//
// Nothing here runs the program's code: getters are named, not called; proxies are looked through, not asked. (V8 itself may
// run some when it writes out a stack: Error.prepareStackTrace, or a getter for the error's name.) What is shown is bounded
// in depth, number and length, so that no object can make it run for long, and it never throws.

import { isErrorLike, showError } from './inspect_error.js';
import { showObject } from './inspect_objects.js';
import { quote } from './inspect_text.js';

const { proxyDetails, kindOf } = ops;
const { toString: symbolToString } = Symbol.prototype;
const { apply } = Reflect;

const MAX_OUTPUT = 65_536; // characters per value: what a log line may reasonably hold
const MAX_DEPTH = 4;
const MOST_DEPTH = 50; // what a program may ask for; more would use up the stack
const MAX_STRING = 10_000; // characters per string
const MAX_PROXIES = 20; // a proxy of a proxy of a …

// One run of inspect. Each `show` returns lines without the indentation of their surroundings.
class Painting {
  constructor(depth) {
    this.maxDepth = depth;
    this.room = MAX_OUTPUT;
    this.open = []; // the objects around the one being shown
    this.references = new Map(); // objects that contain themselves -> their number
  }

  show(value, level) {
    if (this.room <= 0) return '…';
    const text = this.#render(value, level);
    // An object's parts have been counted already. Each may come to stand on a line of its own.
    this.room -= 2 * level + (typeof value === 'object' && value !== null ? 4 : text.length);
    return text;
  }

  #render(value, level) {
    switch (typeof value) {
      case 'string': return quote(value, MAX_STRING);
      case 'number': return Object.is(value, -0) ? '-0' : `${value}`;
      case 'bigint': return bigintText(value);
      case 'symbol': return apply(symbolToString, value, []);
      case 'object': return value === null ? 'null' : this.#object(value, level);
      case 'function': return this.#object(value, level);
      default: return `${value}`;
    }
  }

  #object(value, level) {
    const kind = kindOf(value);
    if (kind === 'proxy') return this.#proxy(value, level);
    if (this.open.includes(value)) {
      if (!this.references.has(value)) this.references.set(value, this.references.size + 1);
      return `[Circular *${this.references.get(value)}]`;
    }
    this.open.push(value);
    const text = isErrorLike(value, kind) ? showError(this, value, level) : showObject(this, value, kind, level);
    this.open.pop();
    return this.references.has(value) ? `<ref *${this.references.get(value)}> ${text}` : text;
  }

  #proxy(proxy, level) {
    let target = proxy;
    for (let count = 0; count < MAX_PROXIES; count++) {
      target = proxyDetails(target)[0];
      if (target === null) return '<Revoked Proxy>';
      if (kindOf(target) !== 'proxy') return `Proxy ${this.#object(target, level)}`;
    }
    return 'Proxy {…}';
  }
}

const MAX_BIGINT_BITS = 32_768; // writing a big number out takes quadratic time

function bigintText(value) {
  if (BigInt.asIntN(MAX_BIGINT_BITS, value) !== value) return '<a BigInt of more than 32768 bits>';
  return `${value}n`;
}

const cut = (text) => (text.length > MAX_OUTPUT ? `${text.slice(0, MAX_OUTPUT)}… cut here: ${text.length - MAX_OUTPUT} more characters` : text);

function toDepth(depth) {
  if (depth === null || depth === Infinity) return MOST_DEPTH;
  return typeof depth === 'number' && depth >= 0 ? Math.min(Math.floor(depth), MOST_DEPTH) : MAX_DEPTH;
}

// The value as text, over several lines if it is long. options.depth: how many levels of objects (4).
export function inspect(value, options = undefined) {
  try {
    return cut(new Painting(toDepth(options?.depth)).show(value, 0));
  } catch {
    return '<a value that cannot be shown>'; // the stack is used up, or the program broke a built-in function
  }
}

// What was thrown, for logs: stack, causes and own properties of an error; any other value as inspect shows it.
export function formatError(error) {
  return inspect(error);
}

export { showAs } from './inspect_objects.js';
