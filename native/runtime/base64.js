// atob and btoa. https://html.spec.whatwg.org/multipage/webappapis.html#atob

import { DOMException } from './domexception.js';
import { requireArguments } from './webidl.js';

export function btoa(data) {
  requireArguments(arguments.length, 1, 'btoa');
  const encoded = ops.base64Encode(`${data}`);
  if (encoded === undefined) {
    throw new DOMException('btoa: the string has a character above U+00FF; encode it to bytes first (TextEncoder)', 'InvalidCharacterError');
  }
  return encoded;
}

export function atob(data) {
  requireArguments(arguments.length, 1, 'atob');
  const decoded = ops.base64Decode(`${data}`);
  if (decoded === undefined) throw new DOMException('atob: the string is not correctly encoded base64', 'InvalidCharacterError');
  return decoded;
}
