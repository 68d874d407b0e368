// A body as FormData, by its content type. https://fetch.spec.whatwg.org/#dom-body-formdata

import { FormData } from './formdata.js';
import { parseMultipart } from './multipart.js';
import { URLSearchParams } from './url.js';

// Throws a TypeError if the content type is not a form's, or the body not what it says.
export function parseFormData(bytes, type) {
  const essence = type.split(';', 1)[0].trim().toLowerCase();
  if (essence === 'application/x-www-form-urlencoded') return parseUrlEncoded(bytes);
  if (essence !== 'multipart/form-data') {
    throw new TypeError(`The body is not a form: its content type is "${type}"; multipart/form-data or application/x-www-form-urlencoded is needed`);
  }
  const boundary = /;\s*boundary\s*=\s*(?:"([^"]+)"|([^\s;"]+))/i.exec(type);
  if (boundary === null) throw new TypeError(`The content type "${type}" has no boundary`);
  return parseMultipart(bytes, boundary[1] ?? boundary[2]);
}

function parseUrlEncoded(bytes) {
  const form = new FormData();
  const text = ops.utf8Decode(bytes, false, true);
  for (const [name, value] of new URLSearchParams(`&${text}`)) form.append(name, value); // & keeps a leading "?"
  return form;
}
