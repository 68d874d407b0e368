// JSON.parse, with a look at long texts first. V8's parser keeps what it has not finished outside of the heap, eight bytes
// and more for each element, and cannot be interrupted: without the look, a text could only be stopped with its thread.

const { parse } = JSON;

// Texts up to so many characters need 32 MiB at most, what every isolate is allowed beyond its limit.
const SHORT = 128 * 1024;

const members = {
  parse(text, reviver) {
    const source = typeof text === 'string' ? text : `${text}`;
    if (source.length > SHORT) ops.checkJson(source);
    return reviver === undefined ? parse(source) : parse(source, reviver);
  },
};

Object.defineProperty(JSON, 'parse', { value: members.parse, writable: true, enumerable: false, configurable: true });
