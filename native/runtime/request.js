// Request. https://fetch.spec.whatwg.org/#request-class
//
// A request from outside is made by `incomingRequest` and works out its URL, headers and signal when they are read.

import { anySignal, newSignal, requireSignal } from './abort.js';
import { Body, cloneBody, extractBody, handOverBody, requireUsable } from './body.js';
import { defineBody } from './body_methods.js';
import { Headers, addIfAbsent, copyHeaders, freezeHeaders, headersFromWire } from './headers.js';
import { defaults, incomingDefaults, mergeOptions, toMethod, toRequestUrl } from './request_init.js';
import { urlFromWire } from './request_url.js';
import { finishInterface, isObject, requireArguments } from './webidl.js';

const INCOMING = Symbol('incoming');

// (exchange, https, method, target, wire headers, source: Uint8Array | IncomingBody | null) -> Request.
// `exchange.signal()` is asked for the signal when the program reads it.
export let incomingRequest;

export class Request {
  #method = 'GET';
  #url = ''; // '': not worked out yet, see #target
  #target = '';
  #https = false;
  #wire = ''; // headers as they came, while #headers is null
  #headers = null;
  #incoming = false; // from outside: its headers cannot be changed
  #body = null;
  #options = defaults;
  #signal = null;
  #signalOf = null; // what #signal will follow: an AbortSignal, or the exchange

  constructor(input, init = undefined) {
    if (input === INCOMING) return;
    requireArguments(arguments.length, 1, 'Request constructor');
    if (init !== undefined && init !== null && !isObject(init)) throw new TypeError('Request constructor: init is not an object');
    const from = isObject(input) && #method in input ? input : null;
    if (from === null) this.#url = toRequestUrl(input);
    else this.#copyFrom(from);
    this.#headers = from === null ? new Headers() : copyHeaders(from.headers);
    if (init !== undefined && init !== null) this.#initialize(init);
    if (this.#body === null && from !== null && from.#body !== null) this.#adoptBody(from);
  }

  #copyFrom(from) {
    this.#method = from.#method;
    this.#url = from.url;
    this.#options = from.#options;
    this.#signalOf = from.#signal !== null || from.#signalOf !== null ? from.signal : null;
  }

  #initialize(init) {
    const { body, headers, method, signal } = init;
    this.#options = mergeOptions(this.#options, init);
    if (method !== undefined) this.#method = toMethod(method);
    if (headers !== undefined) this.#headers = new Headers(headers);
    if (signal !== undefined) this.#signalOf = signal === null ? null : requireSignal(signal, 'Request constructor: signal');
    if (body === undefined || body === null) return;
    this.#refuseBody();
    this.#body = extractBody(body);
    if (this.#body.type) addIfAbsent(this.#headers, 'content-type', this.#body.type);
  }

  // Takes the body of another request over; that one's counts as used from then on.
  #adoptBody(from) {
    this.#refuseBody();
    this.#body = handOverBody(from.#body);
  }

  #refuseBody() {
    if (this.#method === 'GET' || this.#method === 'HEAD') throw new TypeError(`Request constructor: a ${this.#method} request cannot have a body`);
  }

  get method() { return this.#method; }
  get url() {
    if (this.#url === '') this.#url = urlFromWire(this.#target, this.#wire, this.#https);
    return this.#url;
  }
  get headers() { return (this.#headers ??= headersFromWire(this.#wire)); }
  get signal() {
    if (this.#signal === null) {
      const followed = this.#signalOf;
      if (followed === null) this.#signal = newSignal();
      else if (this.#incoming) this.#signal = followed.signal();
      else this.#signal = anySignal([followed]);
    }
    return this.#signal;
  }
  get destination() { return ''; }
  get referrer() { return this.#options.referrer; }
  get referrerPolicy() { return this.#options.referrerPolicy; }
  get mode() { return this.#options.mode; }
  get credentials() { return this.#options.credentials; }
  get cache() { return this.#options.cache; }
  get redirect() { return this.#options.redirect; }
  get integrity() { return this.#options.integrity; }
  get keepalive() { return this.#options.keepalive; }
  get isReloadNavigation() { return false; }
  get isHistoryNavigation() { return false; }
  get duplex() { return 'half'; }

  clone() {
    if (this.#body !== null) requireUsable(this.#body);
    const copy = new Request(INCOMING);
    copy.#copyFrom(this);
    copy.#headers = copyHeaders(this.headers);
    if (this.#incoming) freezeHeaders(copy.#headers);
    copy.#body = this.#body === null ? null : cloneBody(this.#body);
    return copy;
  }

  static {
    incomingRequest = (exchange, https, method, target, wire, source) => {
      const request = new Request(INCOMING);
      request.#incoming = true;
      request.#method = method;
      request.#https = https;
      request.#target = target;
      request.#wire = wire;
      request.#options = incomingDefaults;
      request.#signalOf = exchange;
      if (source !== null) request.#body = new Body(source, null, null, false);
      return request;
    };
    defineBody(Request, (request) => request.#body, (request) => request.headers.get('content-type') ?? '');
  }
}
finishInterface(Request, 'Request');
