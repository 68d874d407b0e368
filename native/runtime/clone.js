// structuredClone. https://html.spec.whatwg.org/multipage/structured-data.html#dom-structuredclone

import { DOMException, fieldsOf, isDOMException, toDOMException } from './domexception.js';
import { isObject, requireArguments } from './webidl.js';

const { kindOf } = ops;
const dataCloneError = (message) => new DOMException(message, 'DataCloneError');

// A platform object that can be cloned as a plain one; undefined for the others.
const writePlatform = (object) => (isDOMException(object) ? { ...fieldsOf(object), stack: object.stack } : undefined);

function toTransferList(options) {
  if (options === undefined || options === null) return [];
  if (!isObject(options)) throw new TypeError('structuredClone: the second argument is not an object of options');
  if (options.transfer === undefined) return [];
  const list = [...options.transfer];
  for (const item of list) {
    if (!isObject(item)) throw new TypeError('structuredClone: something in the transfer list is not an object');
    if (kindOf(item) !== 'arraybuffer') throw dataCloneError('Something in the transfer list cannot be transferred; only ArrayBuffers can');
  }
  if (new Set(list).size !== list.length) throw dataCloneError('An ArrayBuffer is in the transfer list twice');
  return list;
}

export function structuredClone(value, options = undefined) {
  requireArguments(arguments.length, 1, 'structuredClone');
  return ops.structuredClone(value, toTransferList(options), dataCloneError, writePlatform, toDOMException);
}
