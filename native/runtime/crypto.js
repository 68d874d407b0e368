// crypto.getRandomValues and crypto.randomUUID. https://w3c.github.io/webcrypto/#Crypto-interface

import { DOMException } from './domexception.js';
import { finishInterface, requireArguments } from './webidl.js';

const { isView } = ArrayBuffer;
const tagOfTypedArray = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag).get;
const INTEGER_ARRAYS = [
  'Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'BigInt64Array', 'BigUint64Array',
];
const QUOTA = 65_536; // bytes per call; the standard's

let making = false; // true only while the one instance is made

export class Crypto {
  #brand = true;

  constructor() {
    if (!making) throw new TypeError('Crypto cannot be constructed; use the global crypto');
  }

  getRandomValues(array) {
    this.#brand;
    requireArguments(arguments.length, 1, 'crypto.getRandomValues');
    if (!isView(array)) throw new TypeError('crypto.getRandomValues: the argument is not a typed array');
    if (!INTEGER_ARRAYS.includes(Reflect.apply(tagOfTypedArray, array, []))) {
      throw new DOMException('crypto.getRandomValues: the argument is not an array of integers', 'TypeMismatchError');
    }
    if (array.byteLength > QUOTA) {
      throw new DOMException(`crypto.getRandomValues: ${array.byteLength} bytes asked for; at most ${QUOTA} at once`, 'QuotaExceededError');
    }
    ops.randomFill(array);
    return array;
  }

  randomUUID() {
    this.#brand;
    return ops.randomUUID();
  }
}
finishInterface(Crypto, 'Crypto');

making = true;
export const crypto = new Crypto();
making = false;
