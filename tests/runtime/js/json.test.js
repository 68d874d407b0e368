import { equal, ok, same, suite, test, throws } from './harness.js';

export default suite;

test('JSON.parse looks as ever', () => {
  equal(JSON.parse.name, 'parse');
  equal(JSON.parse.length, 2);
  ok(!('prototype' in JSON.parse), 'no prototype');
  const { value, ...attributes } = Object.getOwnPropertyDescriptor(JSON, 'parse');
  equal(typeof value, 'function');
  same(attributes, { writable: true, enumerable: false, configurable: true });
});

test('texts of any length, arguments that are no texts, revivers', () => {
  same(JSON.parse('{"a":[1,"b",null]}'), { a: [1, 'b', null] });
  const long = `[${'{"n":1},'.repeat(50_000)}2]`;
  equal(JSON.parse(long).length, 50_001);
  equal(JSON.parse(`"${'x'.repeat(500_000)}"`).length, 500_000);
  equal(JSON.parse({ toString: () => '7' }), 7);
  equal(JSON.parse(null), null);
  throws(() => JSON.parse(undefined), SyntaxError);
  throws(() => JSON.parse(), SyntaxError);
  throws(() => JSON.parse(Symbol('x')), TypeError);
  throws(() => JSON.parse('['.repeat(200_000)), SyntaxError);
  equal(JSON.parse('[1,2]', (key, value) => (key === '0' ? value + 10 : value))[0], 11);
  equal(JSON.parse('3', 'no function'), 3);
});

test('a text that the parser could not take under the limit is a RangeError', () => {
  const error = throws(() => JSON.parse(`[${'1,'.repeat(5e6)}1]`), RangeError);
  ok(error.message.includes('limits.mem.external'), error.message);
});
