// The stream classes: those of web-streams-polyfill, what it lacks (ReadableStream.from), and what the runtime itself
// needs to know of a stream. https://streams.spec.whatwg.org

import './early_globals.js';
import { ReadableStream } from 'web-streams-polyfill';
import { isObject, requireArguments } from './webidl.js';

export {
  ByteLengthQueuingStrategy,
  CountQueuingStrategy,
  ReadableByteStreamController,
  ReadableStream,
  ReadableStreamBYOBReader,
  ReadableStreamBYOBRequest,
  ReadableStreamDefaultController,
  ReadableStreamDefaultReader,
  TransformStream,
  TransformStreamDefaultController,
  WritableStream,
  WritableStreamDefaultController,
  WritableStreamDefaultWriter,
} from 'web-streams-polyfill';

const { apply } = Reflect;
const { cancel, getReader } = ReadableStream.prototype;
const isLocked = Object.getOwnPropertyDescriptor(ReadableStream.prototype, 'locked').get;

export const isReadableStream = (value) => value instanceof ReadableStream;
export const streamIsLocked = (stream) => apply(isLocked, stream, []);
export const streamIsDisturbed = (stream) => stream._disturbed; // the polyfill's slot; the standard exposes none
export const cancelStream = (stream, reason) => apply(cancel, stream, [reason]);
export const readerOf = (stream) => apply(getReader, stream, []);

// A byte stream whose chunks come from `read`, an async function that returns a Uint8Array, or null at the end.
export function byteStream(read, stop) {
  return new ReadableStream({
    type: 'bytes',
    async pull(controller) {
      const chunk = await read();
      if (chunk !== null) {
        controller.enqueue(chunk);
      } else {
        controller.close();
        controller.byobRequest?.respond(0);
      }
    },
    cancel: stop,
  });
}

function from(iterable) {
  requireArguments(arguments.length, 1, 'ReadableStream.from');
  const iterator = iteratorOf(iterable);
  return new ReadableStream({
    async pull(controller) {
      const result = await iterator.next();
      if (!isObject(result)) throw new TypeError('ReadableStream.from: next() of the iterator returned something that is not an object');
      if (result.done) controller.close();
      else controller.enqueue(await result.value);
    },
    async cancel(reason) {
      const finish = iterator.return;
      if (finish === undefined || finish === null) return;
      const result = await apply(finish, iterator, [reason]);
      if (!isObject(result)) throw new TypeError('ReadableStream.from: return() of the iterator returned something that is not an object');
    },
  }, { highWaterMark: 0 });
}

function iteratorOf(iterable) {
  const method = iterable?.[Symbol.asyncIterator] ?? iterable?.[Symbol.iterator];
  if (typeof method !== 'function') throw new TypeError('ReadableStream.from: the argument is not iterable');
  const iterator = apply(method, iterable, []);
  if (!isObject(iterator)) throw new TypeError('ReadableStream.from: the iterator is not an object');
  return iterator;
}

Object.defineProperty(ReadableStream, 'from', { value: from, writable: true, enumerable: true, configurable: true });
