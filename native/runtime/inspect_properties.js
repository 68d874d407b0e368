// An object's own properties for inspect, without running a getter.

import { keyText } from './inspect_text.js';

const { classNameOf, kindOf, shownKeysOf } = ops;
const { getOwnPropertyDescriptor, getPrototypeOf, hasOwn } = Object;

const MAX_KEYS = 200;
const MAX_PROTOTYPES = 8; // classes that extend each other more deeply are shown by what V8 calls them

// A property that holds a string, else ''. For functions' names.
export function ownString(object, key) {
  const property = getOwnPropertyDescriptor(object, key);
  return typeof property?.value === 'string' ? property.value : '';
}

// The name of the nearest class in the prototype chain that has one. V8 itself only knows the names in the source.
export function classNameFor(object) {
  let holder = object;
  for (let depth = 0; depth < MAX_PROTOTYPES && holder !== null && kindOf(holder) !== 'proxy'; depth++) {
    const constructor = getOwnPropertyDescriptor(holder, 'constructor')?.value;
    const name = typeof constructor === 'function' && kindOf(constructor) !== 'proxy' ? ownString(constructor, 'name') : '';
    if (name !== '' && holder !== object) return name;
    holder = getPrototypeOf(holder);
  }
  return classNameOf(object);
}

function propertyText(painting, object, key, level) {
  let property;
  try {
    property = getOwnPropertyDescriptor(object, key);
  } catch {
    return '<uninitialized>'; // a module's binding before its declaration has run
  }
  if (property === undefined) return 'undefined';
  if (hasOwn(property, 'value')) return painting.show(property.value, level + 1);
  if (property.get === undefined) return property.set === undefined ? 'undefined' : '[Setter]';
  return property.set === undefined ? '[Getter]' : '[Getter/Setter]';
}

// "key: value" for each of the keys.
export function entriesOfKeys(painting, object, keys, level) {
  const entries = [];
  for (const key of keys) {
    if (entries.length === MAX_KEYS || painting.room <= 0) {
      const rest = keys.length - entries.length;
      entries.push(`… ${rest} more propert${rest === 1 ? 'y' : 'ies'}`);
      break;
    }
    const name = keyText(key);
    painting.room -= name.length + 4;
    entries.push(`${name}: ${propertyText(painting, object, key, level)}`);
  }
  return entries;
}

// "key: value" for each enumerable property; the elements of lists are left out.
export function propertyEntries(painting, object, level, isWanted = undefined) {
  let keys;
  try {
    keys = shownKeysOf(object);
  } catch {
    keys = Object.getOwnPropertyNames(object); // a module with uninitialized bindings
  }
  if (keys === undefined) return [];
  return entriesOfKeys(painting, object, isWanted === undefined ? keys : keys.filter(isWanted), level);
}
