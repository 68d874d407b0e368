// FormData. https://xhr.spec.whatwg.org/#interface-formdata

import { File, blobOfBytes, bytesOfBlob, isBlob } from './blob.js';
import { defineIterable, finishInterface, requireArguments, toUSVString } from './webidl.js';

export let entriesOf; // (form) -> its array of [name, string | File]; not to be changed

export class FormData {
  #entries = [];

  constructor(form = undefined) {
    if (form !== undefined) throw new TypeError('FormData constructor: there are no HTML forms here, so no argument is allowed');
  }

  append(name, value, filename = undefined) {
    requireArguments(arguments.length, 2, 'FormData.append');
    this.#entries.push(entry('append', name, value, filename, arguments.length > 2));
  }

  set(name, value, filename = undefined) {
    requireArguments(arguments.length, 2, 'FormData.set');
    const added = entry('set', name, value, filename, arguments.length > 2);
    const index = this.#entries.findIndex((other) => other[0] === added[0]);
    if (index < 0) {
      this.#entries.push(added);
    } else {
      this.#entries = this.#entries.filter((other, at) => at <= index || other[0] !== added[0]);
      this.#entries[index] = added;
    }
  }

  delete(name) {
    requireArguments(arguments.length, 1, 'FormData.delete');
    const key = toUSVString(name);
    this.#entries = this.#entries.filter((other) => other[0] !== key);
  }

  get(name) {
    requireArguments(arguments.length, 1, 'FormData.get');
    const key = toUSVString(name);
    return this.#entries.find((other) => other[0] === key)?.[1] ?? null;
  }

  getAll(name) {
    requireArguments(arguments.length, 1, 'FormData.getAll');
    const key = toUSVString(name);
    return this.#entries.filter((other) => other[0] === key).map((other) => other[1]);
  }

  has(name) {
    requireArguments(arguments.length, 1, 'FormData.has');
    const key = toUSVString(name);
    return this.#entries.some((other) => other[0] === key);
  }

  static {
    entriesOf = (form) => form.#entries;
    defineIterable(FormData, 'FormData', entriesOf);
  }
}
finishInterface(FormData, 'FormData');

function entry(method, name, value, filename, named) {
  const key = toUSVString(name);
  if (!isBlob(value)) {
    if (named) throw new TypeError(`FormData.${method}: a file name was given, but the value is not a Blob`);
    return [key, toUSVString(value)];
  }
  return [key, asFile(value, named ? toUSVString(filename) : undefined)];
}

function asFile(blob, filename) {
  if (blob instanceof File && filename === undefined) return blob;
  const name = filename ?? 'blob'; // the standard's name for a Blob without one
  return new File([blobOfBytes(bytesOfBlob(blob), '')], name, { type: blob.type, lastModified: blob.lastModified });
}
