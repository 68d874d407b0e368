// TextEncoder and TextDecoder. https://encoding.spec.whatwg.org

import { isUint8Array } from './bytes.js';
import { finishInterface, isObject } from './webidl.js';

const { utf8Encode, utf8EncodeInto, utf8Decode, utf8DecodeStream, encodingOf, decoderNew, decoderDecode, decoderFree } = ops;

const counts = new Uint32Array(2); // what utf8EncodeInto found: UTF-16 units read, bytes written

export class TextEncoder {
  get encoding() { return 'utf-8'; }

  encode(input = '') { return utf8Encode(`${input}`); }

  encodeInto(source, destination) {
    const text = `${source}`;
    if (!isUint8Array(destination)) throw new TypeError('TextEncoder.encodeInto: the destination is not a Uint8Array');
    utf8EncodeInto(text, destination, counts);
    return { read: counts[0], written: counts[1] };
  }
}
finishInterface(TextEncoder, 'TextEncoder');

const NO_BYTES = new Uint8Array(0);

export class TextDecoder {
  #encoding;
  #fatal;
  #ignoreBOM;
  #stream = undefined; // in the middle of a stream: the state of a UTF-8 one, the native decoder's id of any other

  constructor(label = 'utf-8', options = undefined) {
    const text = `${label}`;
    this.#encoding = text === 'utf-8' ? text : encodingOf(text);
    if (this.#encoding === undefined) throw new RangeError(`TextDecoder: "${text.slice(0, 40)}" is not the label of an encoding`);
    if (options !== undefined && options !== null && !isObject(options)) throw new TypeError('TextDecoder: the options are not an object');
    this.#fatal = Boolean(options?.fatal);
    this.#ignoreBOM = Boolean(options?.ignoreBOM);
  }

  get encoding() { return this.#encoding; }
  get fatal() { return this.#fatal; }
  get ignoreBOM() { return this.#ignoreBOM; }

  decode(input = NO_BYTES, options = undefined) {
    const more = options === undefined || options === null ? false : Boolean(options.stream);
    if (this.#encoding === 'utf-8') return this.#decodeUtf8(input, more);
    this.#stream ??= decoderNew(this.#encoding, this);
    let failed = true;
    try {
      const text = decoderDecode(this.#stream, input, !more, this.#fatal, this.#ignoreBOM);
      failed = false;
      return text;
    } finally {
      if (!more || failed) this.#closeStream();
    }
  }

  #decodeUtf8(input, more) {
    if (!more && this.#stream === undefined) return utf8Decode(input, this.#fatal, this.#ignoreBOM);
    const state = (this.#stream ??= new Uint8Array(5));
    if (!more) this.#stream = undefined;
    return utf8DecodeStream(input, !more, this.#fatal, this.#ignoreBOM, state);
  }

  #closeStream() {
    decoderFree(this.#stream);
    this.#stream = undefined;
  }
}
finishInterface(TextDecoder, 'TextDecoder');
