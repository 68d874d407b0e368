// TextEncoderStream and TextDecoderStream. https://encoding.spec.whatwg.org/#streams

import { isBufferSource } from './bytes.js';
import { TextDecoder, TextEncoder } from './encoding.js';
import { TransformStream } from './streams.js';
import { finishInterface } from './webidl.js';

const HIGH_SURROGATE_AT_END = /[\ud800-\udbff]$/;

export class TextEncoderStream {
  #transform;
  constructor() {
    const encoder = new TextEncoder();
    let half = ''; // a high surrogate whose other half may come with the next chunk
    this.#transform = new TransformStream({
      transform(chunk, controller) {
        let text = half + chunk;
        half = HIGH_SURROGATE_AT_END.test(text) ? text.slice(-1) : '';
        if (half !== '') text = text.slice(0, -1);
        if (text !== '') controller.enqueue(encoder.encode(text));
      },
      flush(controller) {
        if (half !== '') controller.enqueue(encoder.encode(half));
      },
    });
  }
  get encoding() { return 'utf-8'; }
  get readable() { return this.#transform.readable; }
  get writable() { return this.#transform.writable; }
}
finishInterface(TextEncoderStream, 'TextEncoderStream');

export class TextDecoderStream {
  #decoder;
  #transform;
  constructor(label = 'utf-8', options = undefined) {
    const decoder = (this.#decoder = new TextDecoder(label, options));
    this.#transform = new TransformStream({
      transform(chunk, controller) {
        if (!isBufferSource(chunk)) throw new TypeError('TextDecoderStream: a chunk is neither an ArrayBuffer nor a view of one');
        const text = decoder.decode(chunk, { stream: true });
        if (text !== '') controller.enqueue(text);
      },
      flush(controller) {
        const text = decoder.decode();
        if (text !== '') controller.enqueue(text);
      },
    });
  }
  get encoding() { return this.#decoder.encoding; }
  get fatal() { return this.#decoder.fatal; }
  get ignoreBOM() { return this.#decoder.ignoreBOM; }
  get readable() { return this.#transform.readable; }
  get writable() { return this.#transform.writable; }
}
finishInterface(TextDecoderStream, 'TextDecoderStream');
