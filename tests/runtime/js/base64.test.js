import { equal, ok, suite, test, throws } from './harness.js';

export default suite;

test('btoa and atob: the examples of RFC 4648', () => {
  const examples = { '': '', f: 'Zg==', fo: 'Zm8=', foo: 'Zm9v', foob: 'Zm9vYg==', fooba: 'Zm9vYmE=', foobar: 'Zm9vYmFy' };
  for (const [text, encoded] of Object.entries(examples)) {
    equal(btoa(text), encoded);
    equal(atob(encoded), text);
  }
});

test('every byte survives', () => {
  const all = String.fromCharCode(...Array(256).keys());
  equal(atob(btoa(all)), all);
});

test('long texts, one and two bytes per character', () => {
  const text = 'q'.repeat(100_001);
  equal(atob(btoa(text)), text);
  // A string that once had a wide character is stored wide.
  const wide = `\u{2603}${text}`.slice(1);
  equal(btoa(wide), btoa(text));
  equal(atob(`\u{2603}${btoa(text)}`.slice(1)), text);
});

test('btoa refuses characters above U+00FF', () => {
  for (const text of ['\u0100', 'a\u2603', '\ud800']) {
    const error = throws(() => btoa(text), 'InvalidCharacterError');
    ok(error instanceof DOMException);
    equal(error.code, 5);
  }
});

test('atob is forgiving about white space and padding', () => {
  equal(atob(' Z g = \t\n\f\r= '), 'f');
  equal(atob('Zg'), 'f');
  equal(atob('Zm8'), 'fo');
  equal(atob('   '), '');
  equal(atob('ab'), 'i'); // leftover bits are dropped
});

test('atob refuses what is not base64', () => {
  for (const text of ['a', 'Zm9va', 'Zg=', 'Zg===', '=', 'Z=g=', 'Zm9v=', '-_-_', 'Zm\u00a09v', 'Zm9v\v', 'Zm\0v', '\u0100\u0100\u0100\u0100']) {
    throws(() => atob(text), 'InvalidCharacterError');
  }
});

test('arguments are converted to strings', () => {
  equal(btoa(undefined), 'dW5kZWZpbmVk');
  equal(btoa(12), 'MTI=');
  equal(atob(null), '\x9e\xe9e');
  throws(() => btoa(), TypeError);
  throws(() => atob(), TypeError);
  throws(() => btoa(Symbol('x')), TypeError);
});
