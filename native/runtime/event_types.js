// Events that carry something.

import { Event } from './events.js';
import { finishInterface, requireArguments } from './webidl.js';

export class CustomEvent extends Event {
  #detail;
  constructor(type, init = undefined) {
    requireArguments(arguments.length, 1, 'CustomEvent constructor');
    super(type, init);
    this.#detail = init?.detail === undefined ? null : init.detail;
  }
  get detail() { return this.#detail; }
  initCustomEvent(type, bubbles = false, cancelable = false, detail = null) {
    this.initEvent(type, bubbles, cancelable);
    this.#detail = detail;
  }
}

export class ErrorEvent extends Event {
  #message;
  #filename;
  #lineno;
  #colno;
  #error;
  constructor(type, init = undefined) {
    requireArguments(arguments.length, 1, 'ErrorEvent constructor');
    super(type, init);
    this.#message = init?.message === undefined ? '' : `${init.message}`;
    this.#filename = init?.filename === undefined ? '' : `${init.filename}`;
    this.#lineno = init?.lineno >>> 0;
    this.#colno = init?.colno >>> 0;
    this.#error = init?.error;
  }
  get message() { return this.#message; }
  get filename() { return this.#filename; }
  get lineno() { return this.#lineno; }
  get colno() { return this.#colno; }
  get error() { return this.#error; }
}

export class PromiseRejectionEvent extends Event {
  #promise;
  #reason;
  constructor(type, init) {
    requireArguments(arguments.length, 2, 'PromiseRejectionEvent constructor');
    super(type, init);
    if (init?.promise === undefined) throw new TypeError('PromiseRejectionEvent constructor: init.promise is missing');
    this.#promise = init.promise;
    this.#reason = init.reason;
  }
  get promise() { return this.#promise; }
  get reason() { return this.#reason; }
}

export class MessageEvent extends Event {
  #data;
  #origin;
  #lastEventId;
  #source;
  #ports;
  constructor(type, init = undefined) {
    requireArguments(arguments.length, 1, 'MessageEvent constructor');
    super(type, init);
    this.#data = init?.data === undefined ? null : init.data;
    this.#origin = init?.origin === undefined ? '' : `${init.origin}`;
    this.#lastEventId = init?.lastEventId === undefined ? '' : `${init.lastEventId}`;
    this.#source = init?.source ?? null;
    this.#ports = Object.freeze([...(init?.ports ?? [])]);
  }
  get data() { return this.#data; }
  get origin() { return this.#origin; }
  get lastEventId() { return this.#lastEventId; }
  get source() { return this.#source; }
  get ports() { return this.#ports; }
}

export class CloseEvent extends Event {
  #wasClean;
  #code;
  #reason;
  constructor(type, init = undefined) {
    requireArguments(arguments.length, 1, 'CloseEvent constructor');
    super(type, init);
    this.#wasClean = !!init?.wasClean;
    this.#code = init?.code & 0xffff;
    this.#reason = init?.reason === undefined ? '' : `${init.reason}`;
  }
  get wasClean() { return this.#wasClean; }
  get code() { return this.#code; }
  get reason() { return this.#reason; }
}

finishInterface(CustomEvent, 'CustomEvent');
finishInterface(ErrorEvent, 'ErrorEvent');
finishInterface(PromiseRejectionEvent, 'PromiseRejectionEvent');
finishInterface(MessageEvent, 'MessageEvent');
finishInterface(CloseEvent, 'CloseEvent');
