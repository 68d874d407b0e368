// The body of a request that arrives in parts. What the program has taken is credited, so that as much more may come.

export class IncomingBody {
  #exchange; // number
  #chunks = [];
  #ended = false;
  #error = undefined; // set once: reading fails from then on
  #wake = null; // resolves the promise that the one reader waits for
  started = false; // somebody reads, or has read

  constructor(exchange) {
    this.#exchange = exchange;
  }

  // From the native side.
  push(chunk) {
    if (this.#ended) return;
    this.#chunks.push(chunk);
    this.#wakeReader();
  }

  end() {
    this.#ended = true;
    this.#wakeReader();
  }

  // Nothing more comes; a reader gets the error.
  fail(error) {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = { error };
    this.#chunks.length = 0;
    this.#wakeReader();
  }

  // Returns the next Uint8Array, or null at the end. One reader at a time.
  async read() {
    this.started = true;
    while (this.#chunks.length === 0 && !this.#ended) {
      await new Promise((resolve) => { this.#wake = resolve; });
    }
    if (this.#error !== undefined) throw this.#error.error;
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return null;
    ops.bodyCredit(this.#exchange, chunk.byteLength);
    return chunk;
  }

  // The rest is not wanted. Tells the native side once, and only if there is a rest.
  cancel(error) {
    if (this.#ended) {
      this.#chunks.length = 0;
      return;
    }
    ops.bodyCancel(this.#exchange);
    this.fail(error ?? new TypeError('The request body was cancelled'));
  }

  #wakeReader() {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}
