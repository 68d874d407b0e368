// Response. https://fetch.spec.whatwg.org/#response-class
//
// A response that a handler makes and gives back is never more than this object, its body's source and a list of headers:
// `readResponse` takes them out as they are.

import { cloneBody, extractBody } from './body.js';
import { defineBody } from './body_methods.js';
import { Headers, addIfAbsent, copyHeaders, freezeHeaders, wireOfHeaders } from './headers.js';
import { reasonPhrase } from './header_rules.js';
import { URL } from './url.js';
import { finishInterface, isObject, requireArguments } from './webidl.js';

const TEXT = 'text/plain;charset=UTF-8';
const TEXT_WIRE = `content-type\n${TEXT}\n`;
const JSON_TYPE = 'application/json';
const isNullBodyStatus = (status) => status === 204 || status === 205 || status === 304 || status === 101 || status === 103;
const isRedirectStatus = (status) => status === 301 || status === 302 || status === 303 || status === 307 || status === 308;

export let isResponse; // (value) -> bool; not fooled by prototypes
export let responseStatus;
export let responseStatusText;
export let responseWire; // (response) -> its headers as one flat string
export let responseBody; // (response) -> Body | null; marks nothing

export class Response {
  #type = 'default';
  #url = '';
  #redirected = false;
  #status = 200;
  #statusText = '';
  #headers = null; // Headers; null: only what the body's type says
  #body = null;

  constructor(body = null, init = undefined) {
    if (body !== null) this.#body = extractBody(body);
    if (init !== undefined && init !== null) this.#initialize(init);
    else if (this.#body === null) return;
    if (this.#headers !== null && this.#body?.type) addIfAbsent(this.#headers, 'content-type', this.#body.type);
  }

  #initialize(init) {
    if (!isObject(init)) throw new TypeError('Response constructor: init is not an object');
    const { headers, status, statusText } = init;
    if (headers !== undefined) this.#headers = new Headers(headers);
    if (status !== undefined) this.#status = toStatus(status);
    if (statusText !== undefined) this.#statusText = reasonPhrase(statusText);
    if (this.#body !== null && isNullBodyStatus(this.#status)) {
      throw new TypeError(`Response constructor: a response with status ${this.#status} cannot have a body`);
    }
  }

  get type() { return this.#type; }
  get url() { return this.#url; }
  get redirected() { return this.#redirected; }
  get status() { return this.#status; }
  get ok() { return this.#status >= 200 && this.#status <= 299; }
  get statusText() { return this.#statusText; }
  get headers() {
    if (this.#headers === null) {
      this.#headers = new Headers();
      if (this.#body?.type) addIfAbsent(this.#headers, 'content-type', this.#body.type);
    }
    return this.#headers;
  }

  clone() {
    const body = this.#body === null ? null : cloneBody(this.#body);
    const copy = new Response();
    copy.#type = this.#type;
    copy.#url = this.#url;
    copy.#redirected = this.#redirected;
    copy.#status = this.#status;
    copy.#statusText = this.#statusText;
    copy.#headers = this.#headers === null ? null : copyHeaders(this.#headers);
    copy.#body = body;
    return copy;
  }

  static error() {
    const response = new Response();
    response.#type = 'error';
    response.#status = 0;
    freezeHeaders(response.headers);
    return response;
  }

  static redirect(url, status = 302) {
    requireArguments(arguments.length, 1, 'Response.redirect');
    const { href } = new URL(url);
    const number = toUnsignedShort(status);
    if (!isRedirectStatus(number)) throw new RangeError(`Response.redirect: status ${number} is not a redirect (301, 302, 303, 307, 308)`);
    const response = new Response();
    response.#status = number;
    response.#headers = freezeHeaders(new Headers([['location', href]]));
    return response;
  }

  static json(data, init = undefined) {
    requireArguments(arguments.length, 1, 'Response.json');
    const text = JSON.stringify(data);
    if (text === undefined) throw new TypeError('Response.json: the value cannot be written as JSON');
    const response = new Response(text);
    response.#body.type = JSON_TYPE;
    if (init !== undefined && init !== null) {
      response.#initialize(init);
      if (response.#headers !== null) addIfAbsent(response.#headers, 'content-type', JSON_TYPE);
    }
    return response;
  }

  static {
    isResponse = (value) => isObject(value) && #status in value;
    responseStatus = (response) => response.#status;
    responseStatusText = (response) => response.#statusText;
    responseBody = (response) => response.#body;
    responseWire = (response) => {
      if (response.#headers !== null) return wireOfHeaders(response.#headers);
      const type = response.#body === null ? null : response.#body.type;
      return type === TEXT ? TEXT_WIRE : type ? `content-type\n${type}\n` : '';
    };
    defineBody(Response, responseBody, (response) => response.headers.get('content-type') ?? '');
  }
}
finishInterface(Response, 'Response');

const toUnsignedShort = (value) => Number(value) & 0xffff;

function toStatus(value) {
  const status = toUnsignedShort(value);
  if (status < 200 || status > 599) throw new RangeError(`Response constructor: status ${String(value)} is out of range; allowed: 200 to 599`);
  return status;
}
