// Objects for inspect: what each kind shows before, and in front of, its properties.

import { collections } from './inspect_collections.js';
import { classNameFor, entriesOfKeys, ownString, propertyEntries } from './inspect_properties.js';
import { layOut, quote } from './inspect_text.js';

const { kindOf } = ops;
const { getOwnPropertyDescriptor, getPrototypeOf } = Object;
const { apply } = Reflect;
const { toISOString, getTime } = Date.prototype;
const { toString: sourceOf } = Function.prototype;

const getterOf = (prototype, key) => getOwnPropertyDescriptor(prototype, key).get;
const regexpSource = getterOf(RegExp.prototype, 'source');
const REGEXP_FLAGS = [['hasIndices', 'd'], ['global', 'g'], ['ignoreCase', 'i'], ['multiline', 'm'], ['dotAll', 's'], ['unicode', 'u'], ['unicodeSets', 'v'], ['sticky', 'y']]
  .map(([name, letter]) => [getterOf(RegExp.prototype, name), letter]);

const descriptions = new WeakMap(); // prototype of an interface -> describe
const MAX_PROTOTYPES = 8;
const MAX_PAIRS = 100;

// Decides what is shown of an interface's instances: describe(object) returns a plain object, or a list of pairs.
export const showAs = (constructor, describe) => { descriptions.set(constructor.prototype, describe); };

function describe(object) {
  let prototype = object;
  for (let depth = 0; depth < MAX_PROTOTYPES; depth++) {
    prototype = getPrototypeOf(prototype);
    if (prototype === null || kindOf(prototype) === 'proxy') return undefined;
    const found = descriptions.get(prototype);
    if (found === undefined) continue;
    try {
      return found(object);
    } catch {
      return undefined; // it only inherits from the interface, and is none of its objects
    }
  }
  return undefined;
}

function functionHead(value) {
  const name = ownString(value, 'name');
  const source = apply(sourceOf, value, []).slice(0, 20);
  const parent = getPrototypeOf(value);
  if (/^class\b/.test(source)) {
    const parentName = typeof parent === 'function' && kindOf(parent) !== 'proxy' ? ownString(parent, 'name') : '';
    return `[class ${name || '(anonymous)'}${parentName === '' ? '' : ` extends ${parentName}`}]`;
  }
  return `[${classNameFor(value)}${name === '' ? ' (anonymous)' : `: ${name}`}]`;
}

const boxed = (name, prototype) => (painting, value, level) => `[${name}: ${painting.show(apply(prototype.valueOf, value, []), level + 1)}]`;

// Kinds that are a word; properties follow in braces if there are any.
const heads = {
  function: (painting, value) => functionHead(value),
  date: (painting, value) => (Number.isNaN(apply(getTime, value, [])) ? 'Invalid Date' : apply(toISOString, value, [])),
  regexp(painting, value) {
    const source = apply(regexpSource, value, []);
    const flags = REGEXP_FLAGS.filter(([getter]) => apply(getter, value, [])).map(([, letter]) => letter).join('');
    return `/${source.length > 1000 ? `${source.slice(0, 1000)}…` : source}/${flags}`;
  },
  number: boxed('Number', Number.prototype),
  boolean: boxed('Boolean', Boolean.prototype),
  symbol: boxed('Symbol', Symbol.prototype),
  bigint: boxed('BigInt', BigInt.prototype),
  string: (painting, value) => `[String: ${quote(apply(String.prototype.valueOf, value, []), 1000)}]`,
};

function headed(painting, value, kind, level) {
  const head = heads[kind](painting, value, level);
  painting.room -= head.length;
  if (level > painting.maxDepth) return head;
  const entries = propertyEntries(painting, value, level);
  return entries.length === 0 ? head : layOut(head, '{}', entries, level, false);
}

function prefixOf(value, name) {
  return getPrototypeOf(value) === null ? `[${name}: null prototype]` : name;
}

function plainObject(painting, value, level) {
  const name = classNameFor(value);
  const description = describe(value);
  const isPlain = name === 'Object' && getPrototypeOf(value) !== null;
  if (level > painting.maxDepth) return `[${isPlain ? 'Object' : prefixOf(value, name).replace(/^\[|\]$/g, '')}]`;
  const prefix = isPlain ? '' : prefixOf(value, name);
  if (Array.isArray(description)) {
    const pairs = description.slice(0, MAX_PAIRS).map(([key, entry]) => `${painting.show(key, level + 1)} => ${painting.show(entry, level + 1)}`);
    return layOut(prefix, '{}', pairs, level, false);
  }
  const entries = description === undefined ? [] : entriesOfKeys(painting, description, Object.keys(description), level);
  // Getters of `description` have been read by the runtime's own code; the object's own ones are not.
  return layOut(prefix, '{}', [...entries, ...propertyEntries(painting, value, level)], level, false);
}

function collection(painting, value, kind, level) {
  const { brackets = '{}', plainName, sizeOf, entries, isList = false } = collections[kind];
  const name = collections[kind].name ?? classNameFor(value);
  const size = sizeOf === undefined ? '' : `(${sizeOf(value)})`;
  if (level > painting.maxDepth) return `[${name}${size}]`;
  const prefix = name === plainName && getPrototypeOf(value) !== null ? '' : `${prefixOf(value, name)}${size}`;
  return layOut(prefix, brackets, [...entries(painting, value, level), ...propertyEntries(painting, value, level)], level, isList);
}

export function showObject(painting, value, kind, level) {
  if (Object.hasOwn(heads, kind)) return headed(painting, value, kind, level);
  if (Object.hasOwn(collections, kind)) return collection(painting, value, kind, level);
  return plainObject(painting, value, level);
}
