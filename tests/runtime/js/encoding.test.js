import { bytes, equal, ok, same, suite, test, throws, utf8 } from './harness.js';

export default suite;

const decode = (label, values, options) => new TextDecoder(label, options).decode(bytes(...values));

test('TextEncoder encodes to UTF-8, lone surrogates as U+FFFD', () => {
  const encoder = new TextEncoder();
  equal(encoder.encoding, 'utf-8');
  same([...encoder.encode('aé€😀')], [0x61, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80]);
  same([...encoder.encode('\ud800x\udc00')], [0xef, 0xbf, 0xbd, 0x78, 0xef, 0xbf, 0xbd]);
  same([encoder.encode().length, encoder.encode(undefined).length, encoder.encode('').length], [0, 0, 0]);
  same([...encoder.encode(12)], [0x31, 0x32]);
  ok(encoder.encode('x') instanceof Uint8Array);
  equal(encoder.encode('é'.repeat(100_000)).length, 200_000);
  equal(encoder.encode('€'.repeat(100_000)).length, 300_000);
});

test('encodeInto writes whole characters only', () => {
  const encoder = new TextEncoder();
  const into = (text, size) => {
    const target = new Uint8Array(size);
    const { read, written } = encoder.encodeInto(text, target);
    return [read, written, ...target];
  };
  same(into('aé', 4), [2, 3, 0x61, 0xc3, 0xa9, 0]);
  same(into('aé', 2), [1, 1, 0x61, 0]);
  same(into('😀', 3), [0, 0, 0, 0, 0]);
  same(into('😀x', 5), [3, 5, 0xf0, 0x9f, 0x98, 0x80, 0x78]);
  same(into('\ud800a', 4), [2, 4, 0xef, 0xbf, 0xbd, 0x61]);
  same(into('a', 0), [0, 0]);
  same(into('', 1), [0, 0, 0]);
  const whole = new Uint8Array(100);
  encoder.encodeInto('xyz', whole.subarray(50, 52));
  same([...whole.subarray(49, 53)], [0, 0x78, 0x79, 0]);
  throws(() => encoder.encodeInto('a', new Uint16Array(1)), TypeError);
  throws(() => encoder.encodeInto('a', []), TypeError);
  throws(() => encoder.encodeInto('a'), TypeError);
});

test('what UTF-8 decodes to', () => {
  equal(new TextDecoder().decode(utf8('aé€😀')), 'aé€😀');
  equal(new TextDecoder().decode(), '');
  equal(new TextDecoder().decode(utf8('xyz').buffer), 'xyz');
  equal(new TextDecoder().decode(new DataView(utf8('xyz').buffer, 1)), 'yz');
  equal(new TextDecoder().decode(new Uint16Array([0x4142])), 'BA');
  const text = 'äöü€'.repeat(50_000);
  equal(new TextDecoder().decode(utf8(text)), text);
  for (const value of ['x', 1, null, {}, []]) throws(() => new TextDecoder().decode(value), TypeError);
});

test('malformed UTF-8: U+FFFD for each maximal part, or a TypeError', () => {
  const cases = [
    [[0xff], '\ufffd'], [[0xc0, 0x80], '\ufffd\ufffd'], [[0xc3], '\ufffd'], [[0xe2, 0x82], '\ufffd'], [[0xe2, 0x82, 0x41], '\ufffdA'],
    [[0xf0, 0x9f, 0x98], '\ufffd'], [[0xed, 0xa0, 0x80], '\ufffd\ufffd\ufffd'], [[0xf4, 0x90, 0x80, 0x80], '\ufffd\ufffd\ufffd\ufffd'],
    [[0x80, 0x41], '\ufffdA'], [[0xe0, 0x9f, 0x80], '\ufffd\ufffd\ufffd'], [[0xc3, 0xc3, 0xa9], '\ufffdé'],
  ];
  for (const [values, text] of cases) {
    equal(decode('utf-8', values), text, values.join());
    throws(() => decode('utf-8', values, { fatal: true }), TypeError);
  }
  equal(decode('utf-8', [0xc3, 0xa9], { fatal: true }), 'é');
});

test('a byte order mark is dropped once, unless it is asked for', () => {
  equal(decode('utf-8', [0xef, 0xbb, 0xbf, 0x41]), 'A');
  equal(decode('utf-8', [0xef, 0xbb, 0xbf, 0xef, 0xbb, 0xbf]), '\ufeff');
  equal(decode('utf-8', [0xef, 0xbb, 0xbf, 0x41], { ignoreBOM: true }), '\ufeffA');
  equal(decode('utf-16le', [0xff, 0xfe, 0x41, 0]), 'A');
  equal(decode('utf-16le', [0xff, 0xfe, 0x41, 0], { ignoreBOM: true }), '\ufeffA');
  equal(decode('utf-16be', [0xfe, 0xff, 0, 0x41]), 'A');
  const decoder = new TextDecoder();
  equal(decoder.decode(bytes(0xef, 0xbb), { stream: true }) + decoder.decode(bytes(0xbf, 0x41)), 'A');
  equal(decoder.decode(bytes(0xef, 0xbb, 0xbf, 0x42)), 'B');
});

// Every way to cut the bytes in two must give the same text.
function sameInPieces(label, values, text, options) {
  for (let cut = 0; cut <= values.length; cut++) {
    const decoder = new TextDecoder(label, options);
    const pieces = decoder.decode(bytes(...values.slice(0, cut)), { stream: true }) + decoder.decode(bytes(...values.slice(cut)), { stream: true });
    equal(pieces + decoder.decode(), text, `${label} cut at ${cut}`);
  }
  const decoder = new TextDecoder(label, options);
  equal(values.map((value) => decoder.decode(bytes(value), { stream: true })).join('') + decoder.decode(), text, `${label} byte by byte`);
}

test('streams cut anywhere', () => {
  sameInPieces('utf-8', [0xef, 0xbb, 0xbf, 0x61, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80], 'aé€😀');
  sameInPieces('utf-8', [0xf0, 0x9f, 0x41, 0xe2, 0x82, 0xed, 0xa0, 0xc3], '\ufffdA\ufffd\ufffd\ufffd\ufffd');
  sameInPieces('utf-8', [0xef, 0xbb, 0xbf, 0x61], '\ufeffa', { ignoreBOM: true });
  sameInPieces('utf-16le', [0xff, 0xfe, 0x61, 0, 0x3d, 0xd8, 0, 0xde, 0x62, 0], 'a😀b');
  sameInPieces('utf-16be', [0xd8, 0x3d, 0xde, 0, 0xd8, 0, 0, 0x61, 0x62], '😀\ufffda\ufffd');
  sameInPieces('shift_jis', [0x82, 0xa0, 0x41, 0xb1], 'あAｱ');
  sameInPieces('gb18030', [0xc4, 0xe3, 0x81, 0x30, 0x81, 0x30, 0x41], '你\x80A');
  sameInPieces('iso-2022-jp', [0x1b, 0x24, 0x42, 0x24, 0x22, 0x1b, 0x28, 0x42, 0x41], 'あA');
  sameInPieces('euc-jp', [0x8f, 0xb0, 0xa1, 0xa4, 0xa2, 0x8e, 0xb1], '丂あｱ');
  sameInPieces('big5', [0x88, 0x62, 0xa4, 0xa4, 0x87, 0x45], 'Ê̄中𧉧');
  sameInPieces('windows-1252', [0x80, 0x41], '€A');
});

test('a stream that ends in the middle of a character', () => {
  for (const [label, values] of [['utf-8', [0xe2, 0x82]], ['utf-16le', [0x61]], ['utf-16le', [0x3d, 0xd8]], ['utf-16le', [0x3d, 0xd8, 0x61]], ['shift_jis', [0x82]], ['gb18030', [0x81]]]) {
    equal(decode(label, values), '\ufffd', label);
    throws(() => decode(label, values, { fatal: true }), TypeError);
    const decoder = new TextDecoder(label, { fatal: true });
    equal(decoder.decode(bytes(...values), { stream: true }), '');
    throws(() => decoder.decode(), TypeError);
    equal(decoder.decode(bytes()), '', 'as new after the error');
  }
});

test('UTF-16: lone surrogates', () => {
  equal(decode('utf-16le', [0, 0xdc, 0x61, 0]), '\ufffda');
  equal(decode('utf-16be', [0xd8, 0, 0, 0x61]), '\ufffda');
  throws(() => decode('utf-16le', [0, 0xdc], { fatal: true }), TypeError);
});

test('labels', () => {
  const names = {
    utf8: 'utf-8', ' UTF-8\n': 'utf-8', latin1: 'windows-1252', ascii: 'windows-1252', 'ISO-8859-1': 'windows-1252', l5: 'windows-1254',
    'utf-16': 'utf-16le', unicodefffe: 'utf-16be', 'x-sjis': 'shift_jis', gb2312: 'gbk', 'ks_c_5601-1987': 'euc-kr', 'csISO2022JP': 'iso-2022-jp',
    'koi8-ru': 'koi8-u', logical: 'iso-8859-8-i', 'x-user-defined': 'x-user-defined', 'tis-620': 'windows-874', mac: 'macintosh', 866: 'ibm866',
  };
  for (const [label, name] of Object.entries(names)) equal(new TextDecoder(label).encoding, name, label);
  for (const label of ['', 'utf-7', 'utf 8', 'utf-8\0', 'replacement', 'hz-gb-2312', 'iso-2022-kr', '\u00a0utf-8', 'x'.repeat(10_000), 'utf-8 utf-8', 'ﬀ']) {
    throws(() => new TextDecoder(label), RangeError);
  }
});

test('every encoding decodes ASCII', () => {
  const labels = [
    'utf-8', 'ibm866', 'iso-8859-2', 'iso-8859-3', 'iso-8859-4', 'iso-8859-5', 'iso-8859-6', 'iso-8859-7', 'iso-8859-8', 'iso-8859-8-i',
    'iso-8859-10', 'iso-8859-13', 'iso-8859-14', 'iso-8859-15', 'iso-8859-16', 'koi8-r', 'koi8-u', 'macintosh', 'windows-874', 'windows-1250',
    'windows-1251', 'windows-1252', 'windows-1253', 'windows-1254', 'windows-1255', 'windows-1256', 'windows-1257', 'windows-1258',
    'x-mac-cyrillic', 'gbk', 'gb18030', 'big5', 'euc-jp', 'iso-2022-jp', 'shift_jis', 'euc-kr', 'x-user-defined',
  ];
  for (const label of labels) {
    const decoder = new TextDecoder(label);
    equal(decoder.encoding, label);
    equal(decoder.decode(utf8('Hello 09~')), 'Hello 09~', label);
  }
});

test('samples of the legacy encodings', () => {
  const samples = {
    'windows-1252': [[0x80, 0x81, 0xe9, 0xff], '€\x81éÿ'], 'windows-1251': [[0xcf, 0xf0, 0xe8], 'При'], 'koi8-r': [[0xf0, 0xd2, 0xc9], 'При'],
    'koi8-u': [[0xae, 0xbe], 'ўЎ'], 'iso-8859-16': [[0xa4, 0xaa, 0xfe], '€Șț'], 'windows-874': [[0xa1, 0xdb], 'ก\ufffd'],
    'windows-1255': [[0xca, 0xe0], '\u05baא'], 'windows-1253': [[0xaa, 0xe1], '\ufffdα'], macintosh: [[0xdb, 0x8a], '€ä'],
    'x-mac-cyrillic': [[0xff, 0x80], '€А'], ibm866: [[0x8f, 0xe0], 'Пр'], 'x-user-defined': [[0x80, 0xff], '\uf780\uf7ff'],
    shift_jis: [[0x93, 0xfa, 0x96, 0x7b, 0x80, 0xf0, 0x40, 0x1a], '日本\x80\ue000\x1a'], 'euc-jp': [[0xc6, 0xfc, 0xcb, 0xdc], '日本'],
    'euc-kr': [[0xc7, 0xd1, 0x81, 0x41], '한갂'], big5: [[0xa4, 0xa4, 0xa4, 0xe5, 0xa3, 0xe1], '中文€'], gbk: [[0xd6, 0xd0, 0x80], '中€'],
    gb18030: [[0x94, 0x39, 0xda, 0x33], '💩'],
  };
  for (const [label, [values, text]] of Object.entries(samples)) equal(decode(label, values), text, label);
});

test('a byte of ASCII is never swallowed by a malformed pair', () => {
  for (const label of ['shift_jis', 'euc-jp', 'euc-kr', 'big5', 'gbk']) {
    equal(decode(label, [0x82, 0x22]), '\ufffd"', label);
    throws(() => decode(label, [0x82, 0x22], { fatal: true }), TypeError);
  }
  throws(() => decode('windows-1253', [0xaa], { fatal: true }), TypeError);
});

test('properties and options', () => {
  const decoder = new TextDecoder('UTF-8', { fatal: 1, ignoreBOM: 'yes' });
  same([decoder.encoding, decoder.fatal, decoder.ignoreBOM], ['utf-8', true, true]);
  same([new TextDecoder().fatal, new TextDecoder('utf-8', null).ignoreBOM], [false, false]);
  throws(() => new TextDecoder('utf-8', 1), TypeError);
  throws(() => TextDecoder(), TypeError);
  throws(() => { decoder.fatal = false; }, TypeError);
});

test('shared memory and resized buffers', () => {
  if (typeof SharedArrayBuffer !== 'undefined') {
    const shared = new Uint8Array(new SharedArrayBuffer(3));
    shared.set([0x61, 0xc3, 0xa9]);
    equal(new TextDecoder().decode(shared), 'aé');
    equal(new TextDecoder('utf-16le').decode(shared.buffer), '\uc361\ufffd');
    equal(new TextEncoder().encodeInto('xy', shared).written, 2);
  }
  const buffer = new ArrayBuffer(4, { maxByteLength: 8 });
  const view = new Uint8Array(buffer, 2, 2);
  buffer.resize(2);
  equal(new TextDecoder().decode(view), '');
  equal(new TextEncoder().encodeInto('x', view).written, 0);
  const gone = new Uint8Array(4);
  gone.buffer.transfer();
  equal(new TextDecoder().decode(gone), '');
});

test('unfinished streams have a limit, and are freed with their decoder', () => {
  const open = [];
  const error = throws(() => {
    for (let count = 0; count < 5000; count++) {
      const decoder = new TextDecoder('shift_jis');
      decoder.decode(bytes(0x82), { stream: true });
      open.push(decoder);
    }
  }, RangeError);
  ok(error.message.includes('1000'), error.message);
  for (const decoder of open) decoder.decode();
  for (let count = 0; count < 5000; count++) equal(decode('shift_jis', [0x82, 0xa0]), 'あ');
});
