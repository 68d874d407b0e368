// The few Web IDL conversions and property rules that several APIs share. https://webidl.spec.whatwg.org

const { apply, defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;

export const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';

// A USVString: lone surrogates become U+FFFD.
export const toUSVString = (value) => `${value}`.toWellFormed();

// A ByteString; `what` names the value in the error.
export function toByteString(value, what) {
  const text = `${value}`;
  for (let index = 0; index < text.length; index++) {
    if (text.charCodeAt(index) > 0xff) {
      throw new TypeError(`${what} has the character "${text[index]}" at index ${index}; only characters up to U+00FF can be sent`);
    }
  }
  return text;
}

export function requireArguments(count, needed, what) {
  if (count < needed) throw new TypeError(`${what}: ${needed} argument${needed === 1 ? '' : 's'} required, but only ${count} present`);
}

// One of the values that an enumeration of the standard allows.
export function toEnumeration(value, allowed, what) {
  const text = `${value}`;
  if (!allowed.includes(text)) throw new TypeError(`${what} is "${text}"; allowed: ${allowed.join(', ')}`);
  return text;
}

// Gives an interface class what `class` syntax does not: its name (minifying changes it), enumerable members, a string tag.
export function finishInterface(constructor, name) {
  defineProperty(constructor, 'name', { value: name, configurable: true });
  for (const owner of [constructor, constructor.prototype]) {
    for (const key of ownKeys(owner)) {
      if (typeof key === 'symbol' || key === 'constructor' || key === 'prototype' || key === 'name' || key === 'length') continue;
      const property = getOwnPropertyDescriptor(owner, key);
      if (property.configurable && !property.enumerable) defineProperty(owner, key, { ...property, enumerable: true });
    }
  }
  defineProperty(constructor.prototype, Symbol.toStringTag, { value: name, configurable: true });
  ops.markPlatformObject(constructor.prototype); // structuredClone must refuse its instances
}

// Constants (Event.AT_TARGET …) live on the class and on its prototype.
export function defineConstants(constructor, constants) {
  for (const name of Object.keys(constants)) {
    const property = { value: constants[name], enumerable: true };
    defineProperty(constructor, name, property);
    defineProperty(constructor.prototype, name, property);
  }
}

// Adds keys, values, entries, forEach and Symbol.iterator to an interface. `pairsOf(object)` returns an array of
// [key, value] and must throw a TypeError for a foreign object; it is asked at each step, so that iteration is live.
export function defineIterable(constructor, name, pairsOf) {
  const iterators = new WeakMap();
  const prototype = Object.create(Object.getPrototypeOf(Object.getPrototypeOf([][Symbol.iterator]())), {
    [Symbol.toStringTag]: { value: `${name} Iterator`, configurable: true },
  });
  const members = {
    next() {
      const state = iterators.get(this);
      if (state === undefined) throw new TypeError(`next() was called on something that is not a ${name} Iterator`);
      const pairs = pairsOf(state.object);
      if (state.index >= pairs.length) return { value: undefined, done: true };
      const pair = pairs[state.index++];
      return { value: state.part === 2 ? [pair[0], pair[1]] : pair[state.part], done: false };
    },
    entries() { return start(this, 2); },
    keys() { return start(this, 0); },
    values() { return start(this, 1); },
    forEach(callback, thisArgument = undefined) {
      pairsOf(this);
      if (typeof callback !== 'function') throw new TypeError(`${name}.forEach: the callback is not a function`);
      for (let index = 0; index < pairsOf(this).length; index++) {
        const [key, value] = pairsOf(this)[index];
        apply(callback, thisArgument, [value, key, this]);
      }
    },
  };
  const start = (object, part) => {
    pairsOf(object);
    const iterator = Object.create(prototype);
    iterators.set(iterator, { object, part, index: 0 });
    return iterator;
  };
  defineProperty(prototype, 'next', { value: members.next, writable: true, enumerable: true, configurable: true });
  for (const key of ['entries', 'keys', 'values', 'forEach']) {
    defineProperty(constructor.prototype, key, { value: members[key], writable: true, enumerable: true, configurable: true });
  }
  defineProperty(constructor.prototype, Symbol.iterator, { value: members.entries, writable: true, configurable: true });
}
