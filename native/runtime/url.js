// URL, parsed by the native library. https://url.spec.whatwg.org/#url-class

import { URLSearchParams, linkedParams, resetParams } from './url_search_params.js';
import { finishInterface, requireArguments, toUSVString } from './webidl.js';

export { URLSearchParams };

const { urlParse, urlSet, urlOrigin } = ops;

const ABSENT = 0xffffffff;
// Where the parts of the href last parsed lie, as urlParse and urlSet tell it.
const found = new Uint32Array(9);
// The numbers by which urlSet knows the parts.
const PROTOCOL = 1, USERNAME = 2, PASSWORD = 3, HOST = 4, HOSTNAME = 5, PORT = 6, PATHNAME = 7, SEARCH = 8, HASH = 9;

const shorten = (text) => (text.length > 200 ? `${text.slice(0, 200)}…` : text);

function parse(url, base) {
  const input = toUSVString(url);
  return base === undefined ? urlParse(input, undefined, found) : urlParse(input, toUSVString(base), found);
}

export class URL {
  #href;
  #protocolEnd;
  #usernameEnd;
  #hostStart;
  #hostEnd;
  #port;
  #pathStart;
  #searchStart;
  #hashStart;
  #params = undefined;

  constructor(url, base = undefined) {
    requireArguments(arguments.length, 1, 'URL');
    const href = parse(url, base);
    if (href === undefined) {
      const place = base === undefined ? '' : ` with base "${shorten(toUSVString(base))}"`;
      throw new TypeError(`Invalid URL: "${shorten(toUSVString(url))}"${place}`);
    }
    this.#take(href);
  }

  static parse(url, base = undefined) {
    requireArguments(arguments.length, 1, 'URL.parse');
    const href = parse(url, base);
    return href === undefined ? null : new URL(href);
  }

  static canParse(url, base = undefined) {
    requireArguments(arguments.length, 1, 'URL.canParse');
    return parse(url, base) !== undefined;
  }

  #take(href) {
    this.#href = href;
    this.#protocolEnd = found[0];
    this.#usernameEnd = found[1];
    this.#hostStart = found[2];
    this.#hostEnd = found[3];
    this.#port = found[4];
    this.#pathStart = found[5];
    this.#searchStart = found[6];
    this.#hashStart = found[7];
  }

  // Sets a part; a value that the part refuses changes nothing.
  #set(part, value) {
    const href = urlSet(this.#href, part, toUSVString(value), found);
    if (href !== undefined) this.#take(href);
  }

  get href() { return this.#href; }
  set href(value) {
    const href = urlParse(toUSVString(value), undefined, found);
    if (href === undefined) throw new TypeError(`Invalid URL: "${shorten(toUSVString(value))}"`);
    this.#take(href);
    this.#refreshParams();
  }

  get origin() { return urlOrigin(this.#href); }

  get protocol() { return this.#href.slice(0, this.#protocolEnd); }
  set protocol(value) { this.#set(PROTOCOL, value); }

  get username() {
    // After "scheme://"; there is one only if the part goes further.
    return this.#protocolEnd + 2 < this.#usernameEnd ? this.#href.slice(this.#protocolEnd + 2, this.#usernameEnd) : '';
  }
  set username(value) { this.#set(USERNAME, value); }

  get password() { return this.#hostStart > this.#usernameEnd ? this.#href.slice(this.#usernameEnd + 1, this.#hostStart) : ''; }
  set password(value) { this.#set(PASSWORD, value); }

  // The host begins with the "@" when there are credentials.
  get #hostFrom() { return this.#href[this.#hostStart] === '@' ? this.#hostStart + 1 : this.#hostStart; }
  // An empty host before a path that starts with "//" is followed by "/.", which belongs to neither.
  get host() {
    const from = this.#hostFrom;
    return this.#port === ABSENT ? this.#href.slice(from, this.#hostEnd) : this.#href.slice(from, this.#pathStart);
  }
  set host(value) { this.#set(HOST, value); }

  get hostname() { return this.#href.slice(this.#hostFrom, this.#hostEnd); }
  set hostname(value) { this.#set(HOSTNAME, value); }

  get port() { return this.#port === ABSENT ? '' : `${this.#port}`; }
  set port(value) { this.#set(PORT, value); }

  get pathname() {
    const end = this.#searchStart !== ABSENT ? this.#searchStart : this.#hashStart;
    return this.#href.slice(this.#pathStart, end === ABSENT ? undefined : end);
  }
  set pathname(value) { this.#set(PATHNAME, value); }

  get search() {
    if (this.#searchStart === ABSENT) return '';
    const search = this.#href.slice(this.#searchStart, this.#hashStart === ABSENT ? undefined : this.#hashStart);
    return search === '?' ? '' : search;
  }
  set search(value) {
    this.#set(SEARCH, value);
    this.#refreshParams();
  }

  get hash() {
    if (this.#hashStart === ABSENT) return '';
    const hash = this.#href.slice(this.#hashStart);
    return hash === '#' ? '' : hash;
  }
  set hash(value) { this.#set(HASH, value); }

  get searchParams() {
    return (this.#params ??= linkedParams(this.search.slice(1), (query) => this.#set(SEARCH, query)));
  }
  #refreshParams() {
    if (this.#params !== undefined) resetParams(this.#params, this.search.slice(1));
  }

  toString() { return this.#href; }
  toJSON() { return this.#href; }
}
finishInterface(URL, 'URL');
