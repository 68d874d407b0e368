// Prints every function and accessor that can be reached from the global object: the lines of builtins.txt.
// name/1: a function of one parameter; name?: it can be read; name=: it can be written, too; @@name: a symbol.
const seen = new Set([walk, partsOf, isPlain]);
const lines = [];

function isPlain(key) {
  return typeof key === 'string' ? !/[^\w]/.test(key) : key.description?.startsWith('Symbol.');
}

function partsOf(object) {
  return Reflect.ownKeys(object)
    .filter((key) => isPlain(key) && key !== 'constructor')
    .filter((key) => typeof object !== 'function' || !['name', 'length', 'arguments', 'caller'].includes(key));
}

function walk(object, path) {
  if (seen.has(object)) return;
  seen.add(object);
  const words = [];
  const later = [];
  for (const key of partsOf(object)) {
    const { get, set, value } = Reflect.getOwnPropertyDescriptor(object, key);
    const word = typeof key === 'symbol' ? `@@${key.description.slice(7)}` : key;
    const place = path === 'globalThis' ? word : `${path}.${word}`;
    if (get || set) words.push(word + (set ? '=' : '?'));
    if (typeof value === 'function' && !seen.has(value)) words.push(`${word}/${value.length}`);
    if (value !== null && ['function', 'object'].includes(typeof value)) later.push([value, place]);
  }
  if (words.length > 0) lines.push(`${path}: ${words.join(' ')}`);
  for (const [value, place] of later) walk(value, place);
}

walk(globalThis, 'globalThis');
const hidden = {
  '%AsyncFunction': (async () => {}).constructor,
  '%AsyncGenerator': Object.getPrototypeOf(async function* () {}).prototype,
  '%AsyncGeneratorFunction': Object.getPrototypeOf(async function* () {}).constructor,
  '%ArrayIterator': Object.getPrototypeOf([].values()),
  '%Generator': Object.getPrototypeOf(function* () {}).prototype,
  '%IteratorHelper': Object.getPrototypeOf([].values().map(Boolean)),
  '%MapIterator': Object.getPrototypeOf(new Map().entries()),
  '%RegExpStringIterator': Object.getPrototypeOf('a'.matchAll(/a/g)),
  '%Segments': Object.getPrototypeOf(new Intl.Segmenter().segment('a')),
  '%SetIterator': Object.getPrototypeOf(new Set().values()),
  '%StringIterator': Object.getPrototypeOf(''[Symbol.iterator]()),
  '%TypedArray': Object.getPrototypeOf(Uint8Array),
};
for (const [name, value] of Object.entries(hidden)) walk(value, name);
for (const line of lines) console.log(line);
