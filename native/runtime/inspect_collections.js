// The kinds of objects that hold others, for inspect: how each lists what it holds.

import { plural } from './inspect_text.js';

const { previewEntries, promiseDetails } = ops;
const { getOwnPropertyDescriptor, getPrototypeOf, hasOwn } = Object;
const { apply } = Reflect;

const MAX_ITEMS = 100;
const MAX_BYTES = 50;

const getterOf = (prototype, key) => getOwnPropertyDescriptor(prototype, key).get;
const TypedArray = getPrototypeOf(Uint8Array);
const typedArrayLength = getterOf(TypedArray.prototype, 'length');
const mapSize = getterOf(Map.prototype, 'size');
const setSize = getterOf(Set.prototype, 'size');
const mapEntries = Map.prototype.entries;
const setValues = Set.prototype.values;
const nextOfMap = new Map().entries().next;
const nextOfSet = new Set().values().next;
const VIEW = ['byteLength', 'byteOffset', 'buffer'].map((key) => [key, getterOf(DataView.prototype, key)]);

const isFull = (painting, entries) => entries.length >= MAX_ITEMS || painting.room <= 0;
const moreItems = (count) => `… ${plural(count, 'item')}`;

// Runs of missing elements count as one entry; only so many indexes are looked at, for an array may claim 4 billion.
const MAX_INDEXES = 10_000;

function arrayEntries(painting, array, level) {
  const entries = [];
  const length = getOwnPropertyDescriptor(array, 'length').value;
  let index = 0;
  while (index < length) {
    if (isFull(painting, entries) || index >= MAX_INDEXES) {
      entries.push(moreItems(length - index));
      break;
    }
    const first = index;
    while (index < length && index < MAX_INDEXES && !hasOwn(array, index)) index++;
    if (index > first) {
      entries.push(`<${index - first} empty item${index - first === 1 ? '' : 's'}>`);
    } else {
      const element = getOwnPropertyDescriptor(array, index++);
      entries.push(hasOwn(element, 'value') ? painting.show(element.value, level + 1) : '[Getter/Setter]');
    }
  }
  return entries;
}

function typedArrayEntries(painting, array) {
  const length = apply(typedArrayLength, array, []);
  const entries = [];
  while (entries.length < length && !isFull(painting, entries)) entries.push(painting.show(array[entries.length], 0));
  if (entries.length < length) entries.push(moreItems(length - entries.length));
  return entries;
}

// What an iteration gives, as entries, up to the limit. `size` is how many there are.
function iterated(painting, size, next, entryOf) {
  const entries = [];
  for (let step = next(); !step.done; step = next()) {
    if (isFull(painting, entries)) {
      entries.push(moreItems(size - entries.length));
      break;
    }
    entries.push(entryOf(step.value));
  }
  return entries;
}

function mapEntriesOf(painting, map, level) {
  const iterator = apply(mapEntries, map, []);
  return iterated(painting, apply(mapSize, map, []), () => apply(nextOfMap, iterator, []), (pair) =>
    `${painting.show(pair[0], level + 1)} => ${painting.show(pair[1], level + 1)}`);
}

function setEntriesOf(painting, set, level) {
  const iterator = apply(setValues, set, []);
  return iterated(painting, apply(setSize, set, []), () => apply(nextOfSet, iterator, []), (value) => painting.show(value, level + 1));
}

function previewOf(painting, iterator, level) {
  const [items, isKeyValue] = previewEntries(iterator);
  const entries = [];
  const step = isKeyValue ? 2 : 1;
  for (let index = 0; index < items.length; index += step) {
    if (isFull(painting, entries)) {
      entries.push(moreItems((items.length - index) / step));
      break;
    }
    const first = painting.show(items[index], level + 1);
    entries.push(isKeyValue ? `[ ${first}, ${painting.show(items[index + 1], level + 1)} ]` : first);
  }
  return entries;
}

function promiseEntries(painting, promise, level) {
  const [state, value] = promiseDetails(promise);
  if (state === 0) return ['<pending>'];
  return [`${state === 2 ? '<rejected> ' : ''}${painting.show(value, level + 1)}`];
}

function bufferEntries(painting, buffer) {
  let bytes;
  try {
    bytes = new Uint8Array(buffer);
  } catch {
    return ['(detached)', 'byteLength: 0'];
  }
  const digits = [];
  for (let index = 0; index < Math.min(bytes.length, MAX_BYTES); index++) digits.push(bytes[index].toString(16).padStart(2, '0'));
  if (bytes.length > MAX_BYTES) digits.push(`… ${plural(bytes.length - MAX_BYTES, 'byte')}`);
  painting.room -= digits.length * 3;
  return [`[Uint8Contents]: <${digits.join(' ')}>`, `byteLength: ${bytes.length}`];
}

function viewEntries(painting, view, level) {
  try {
    return VIEW.map(([key, getter]) => `${key}: ${painting.show(apply(getter, view, []), level + 1)}`);
  } catch {
    return ['(detached)'];
  }
}

const lengthOfArray = (array) => getOwnPropertyDescriptor(array, 'length').value;
const unknown = () => ['<items unknown>'];

// name: instead of the class's; plainName: the class whose name goes without saying.
export const collections = {
  array: { brackets: '[]', plainName: 'Array', sizeOf: lengthOfArray, entries: arrayEntries, isList: true },
  arguments: { name: '[Arguments]', brackets: '[]', entries: argumentsEntries, isList: true },
  typedarray: { brackets: '[]', sizeOf: (array) => apply(typedArrayLength, array, []), entries: typedArrayEntries, isList: true },
  map: { sizeOf: (map) => apply(mapSize, map, []), entries: mapEntriesOf },
  set: { sizeOf: (set) => apply(setSize, set, []), entries: setEntriesOf },
  mapiterator: { name: '[Map Iterator]', entries: previewOf },
  setiterator: { name: '[Set Iterator]', entries: previewOf },
  weakmap: { entries: unknown },
  weakset: { entries: unknown },
  promise: { entries: promiseEntries },
  arraybuffer: { entries: bufferEntries },
  sharedarraybuffer: { entries: bufferEntries },
  dataview: { entries: viewEntries },
  generator: { name: 'Object [Generator]', entries: () => [] },
};

// The length of an arguments object is an ordinary property, which the program may have changed.
function argumentsEntries(painting, value, level) {
  const entries = [];
  for (let index = 0; hasOwn(value, index) && !isFull(painting, entries); index++) {
    const element = getOwnPropertyDescriptor(value, index);
    entries.push(hasOwn(element, 'value') ? painting.show(element.value, level + 1) : '[Getter/Setter]');
  }
  return entries;
}
