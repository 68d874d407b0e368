// The URL that a request line and its Host header stand for. RFC 9112, section 3.3

const components = new Uint32Array(9);
const HOST = /^[-.\w~%:[\]]+$/; // nothing that could end the authority or start user information

export function urlFromWire(target, headers, https) {
  const scheme = https ? 'https' : 'http';
  if (target.charCodeAt(0) !== 0x2f && /^https?:\/\//i.test(target)) return parse(target) ?? `${scheme}://localhost/`; // absolute-form
  const path = target === '*' ? '/' : target.charCodeAt(0) === 0x2f ? target : `/${target}`;
  return parse(`${scheme}://${hostOf(headers) || 'localhost'}${path}`) ?? parse(`${scheme}://localhost${path}`) ?? `${scheme}://localhost/`;
}

const parse = (text) => ops.urlParse(text, undefined, components);

// Looks for Host without splitting all headers: most handlers read the URL and nothing else.
function hostOf(headers) {
  for (let at = 0; at < headers.length;) {
    const nameEnd = headers.indexOf('\n', at);
    const valueEnd = headers.indexOf('\n', nameEnd + 1);
    if (nameEnd < 0 || valueEnd < 0) return '';
    if (nameEnd - at === 4 && headers.slice(at, nameEnd).toLowerCase() === 'host') {
      const host = headers.slice(nameEnd + 1, valueEnd);
      return HOST.test(host) ? host : '';
    }
    at = valueEnd + 1;
  }
  return '';
}
