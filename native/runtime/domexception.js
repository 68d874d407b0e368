// DOMException. https://webidl.spec.whatwg.org/#idl-DOMException

import { defineConstants, finishInterface, isObject } from './webidl.js';

// Name -> code, for the names that have one. The constants' names are those of the standard's table.
const LEGACY = {
  IndexSizeError: ['INDEX_SIZE_ERR', 1],
  HierarchyRequestError: ['HIERARCHY_REQUEST_ERR', 3],
  WrongDocumentError: ['WRONG_DOCUMENT_ERR', 4],
  InvalidCharacterError: ['INVALID_CHARACTER_ERR', 5],
  NoModificationAllowedError: ['NO_MODIFICATION_ALLOWED_ERR', 7],
  NotFoundError: ['NOT_FOUND_ERR', 8],
  NotSupportedError: ['NOT_SUPPORTED_ERR', 9],
  InUseAttributeError: ['INUSE_ATTRIBUTE_ERR', 10],
  InvalidStateError: ['INVALID_STATE_ERR', 11],
  SyntaxError: ['SYNTAX_ERR', 12],
  InvalidModificationError: ['INVALID_MODIFICATION_ERR', 13],
  NamespaceError: ['NAMESPACE_ERR', 14],
  InvalidAccessError: ['INVALID_ACCESS_ERR', 15],
  TypeMismatchError: ['TYPE_MISMATCH_ERR', 17],
  SecurityError: ['SECURITY_ERR', 18],
  NetworkError: ['NETWORK_ERR', 19],
  AbortError: ['ABORT_ERR', 20],
  URLMismatchError: ['URL_MISMATCH_ERR', 21],
  QuotaExceededError: ['QUOTA_EXCEEDED_ERR', 22],
  TimeoutError: ['TIMEOUT_ERR', 23],
  InvalidNodeTypeError: ['INVALID_NODE_TYPE_ERR', 24],
  DataCloneError: ['DATA_CLONE_ERR', 25],
};
// Constants whose names no longer exist.
const RETIRED = { DOMSTRING_SIZE_ERR: 2, NO_DATA_ALLOWED_ERR: 6, VALIDATION_ERR: 16 };

const { captureStackTrace } = Error;
const { defineProperty, hasOwn, setPrototypeOf } = Object;

// Not private fields, because structuredClone makes exceptions out of objects that exist already.
const states = new WeakMap(); // exception -> {name, message}

function stateOf(exception) {
  const state = states.get(exception);
  if (state === undefined) throw new TypeError('This is not a DOMException');
  return state;
}

export class DOMException {
  // The second argument may also be {name, cause}.
  constructor(message = '', options = 'Error') {
    const name = isObject(options) ? (options.name ?? 'Error') : options;
    states.set(this, { name: `${name}`, message: `${message}` });
    if (isObject(options) && 'cause' in options) {
      defineProperty(this, 'cause', { value: options.cause, writable: true, configurable: true });
    }
    // It takes the first line from name and message, so they must be set by now.
    captureStackTrace(this, DOMException);
  }
  get name() { return stateOf(this).name; }
  get message() { return stateOf(this).message; }
  get code() {
    const { name } = stateOf(this);
    return hasOwn(LEGACY, name) ? LEGACY[name][1] : 0;
  }
}

export const isDOMException = (value) => states.has(value);

// {name, message} of an exception, whatever the program has put over them.
export const fieldsOf = (exception) => states.get(exception);

// Makes the plain object {name, message, stack} a DOMException.
export function toDOMException(object) {
  const { name, message, stack } = object;
  delete object.name;
  delete object.message;
  states.set(object, { name, message });
  setPrototypeOf(object, DOMException.prototype);
  defineProperty(object, 'stack', { value: stack, writable: true, enumerable: false, configurable: true });
}

setPrototypeOf(DOMException.prototype, Error.prototype);
finishInterface(DOMException, 'DOMException');
defineConstants(DOMException, { ...Object.fromEntries(Object.values(LEGACY)), ...RETIRED });
