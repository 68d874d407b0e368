// One request and its answer, from dispatch until the response is out and everything given to waitUntil has settled.

import { abortSignal, newSignal } from './abort.js';
import { DOMException } from './domexception.js';
import { formatError } from './inspect.js';

const LEVEL_ERROR = 3;
const open = new Map(); // number -> Exchange; only those that outlive their dispatch

export const findExchange = (id) => open.get(id);

export class Exchange {
  id;
  head; // the answer to a HEAD request: no body is wanted
  incoming; // IncomingBody | null
  aborted = false;
  cancelSource = null; // (reason) -> void: stops the stream that is being sent
  #answered = false;
  #done = false;
  #waits = 0; // promises given to waitUntil that have not settled
  #signal = null;
  #credit = 0;
  #wake = null;

  constructor(id, head, incoming) {
    this.id = id;
    this.head = head;
    this.incoming = incoming;
  }

  // To be called at the end of the dispatch: later hooks must find what is still going on.
  keepIfOpen() {
    if (!this.#done) open.set(this.id, this);
  }

  signal() {
    if (this.#signal === null) {
      this.#signal = newSignal();
      if (this.aborted) abortSignal(this.#signal, gone());
    }
    return this.#signal;
  }

  // Keeps the exchange open until the promise settles; a rejection is logged.
  async wait(promise) {
    this.#waits++;
    try {
      await promise;
    } catch (error) {
      ops.log(LEVEL_ERROR, `A promise given to waitUntil was rejected: ${formatError(error)}`);
    }
    this.#waits--;
    this.#finish();
  }

  // The whole response is out, or has failed.
  answered() {
    this.#answered = true;
    if (this.incoming !== null && !this.incoming.started) this.incoming.cancel();
    this.#finish();
  }

  // The client is gone: nothing more may be sent, and nobody is kept waiting.
  abort() {
    if (this.aborted || this.#done) return;
    this.aborted = true;
    open.delete(this.id);
    const reason = gone();
    this.incoming?.fail(reason);
    this.addCredit(0);
    this.cancelSource?.(reason);
    if (this.#signal !== null) abortSignal(this.#signal, reason);
    this.#finish();
  }

  setCredit(bytes) {
    this.#credit = bytes;
  }

  addCredit(bytes) {
    this.#credit += bytes;
    if (this.#credit <= 0 && !this.aborted) return;
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  // Resolves when there is credit, or the exchange is aborted.
  creditOrAbort() {
    if (this.#credit > 0 || this.aborted) return undefined;
    return new Promise((resolve) => { this.#wake = resolve; });
  }

  #finish() {
    if (this.#done || this.#waits > 0 || !(this.#answered || this.aborted)) return;
    this.#done = true;
    open.delete(this.id);
    this.incoming?.cancel();
    ops.exchangeDone(this.id);
  }
}

const gone = () => new DOMException('The client disconnected or the request ran out of time', 'AbortError');
