// The event that classic scripts get: addEventListener('fetch', (event) => event.respondWith(…)).
// https://w3c.github.io/ServiceWorker/#fetchevent-interface

import { DOMException } from './domexception.js';
import { Event } from './events.js';
import { finishInterface } from './webidl.js';

const NOTHING = Symbol('nothing');

export let answerOf; // (event) -> what was given to respondWith; throws if nothing was

export class FetchEvent extends Event {
  #request;
  #exchange;
  #answer = NOTHING;

  constructor(type, init, exchange = null) {
    if (!init?.request) throw new TypeError('FetchEvent constructor: init.request is missing');
    super(type, init);
    this.#request = init.request;
    this.#exchange = exchange;
  }

  get request() { return this.#request; }
  get clientId() { return ''; }

  respondWith(response) {
    if (this.eventPhase === 0) throw new DOMException('respondWith must be called while the listener runs', 'InvalidStateError');
    if (this.#answer !== NOTHING) throw new DOMException('respondWith has already been called', 'InvalidStateError');
    this.#answer = response;
    this.stopImmediatePropagation(); // the first to answer wins
  }
  waitUntil(promise) { this.#exchange?.wait(promise); }
  passThroughOnException() {}

  static {
    answerOf = (event) => {
      if (event.#answer !== NOTHING) return event.#answer;
      throw new TypeError('No listener of the fetch event called event.respondWith(); it must be called before the listener returns');
    };
  }
}
finishInterface(FetchEvent, 'FetchEvent');
