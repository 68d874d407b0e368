// The third argument of a fetch handler. Its methods are getters that return bound functions, so that
// `const { waitUntil } = ctx` works and an unused one costs nothing.

import { finishInterface } from './webidl.js';

export class ExecutionContext {
  #exchange;

  constructor(exchange) {
    this.#exchange = exchange;
  }

  get waitUntil() {
    const exchange = this.#exchange;
    return function waitUntil(promise) { exchange.wait(promise); };
  }
  get passThroughOnException() {
    return function passThroughOnException() {}; // there is no origin to pass the request through to
  }
}
finishInterface(ExecutionContext, 'ExecutionContext');
