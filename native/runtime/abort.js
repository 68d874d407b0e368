// AbortController and AbortSignal. https://dom.spec.whatwg.org/#aborting-ongoing-activities

import { DOMException } from './domexception.js';
import { defineEventHandler } from './event_handler.js';
import { Event, EventTarget, deliver, onListenerAdded, trust } from './events.js';
import { setTimeout } from './timers.js';
import { finishInterface, requireArguments } from './webidl.js';

const INTERNAL = Symbol('internal');

export let abortSignal; // (signal, reason): what AbortController.abort does
let follow; // (dependent, source)
let reasonOf; // (signal) -> its reason, undefined while it is not aborted; throws for another object

export const newSignal = () => new AbortSignal(INTERNAL);

// A signal that is aborted when any of `sources` (an array of signals) is.
export function anySignal(sources) {
  const signal = newSignal();
  for (const source of sources) {
    if (source.aborted) {
      abortSignal(signal, source.reason);
      return signal;
    }
  }
  for (const source of sources) follow(signal, source);
  return signal;
}

export function requireSignal(value, what) {
  try {
    reasonOf(value);
  } catch {
    throw new TypeError(`${what} is not an AbortSignal`);
  }
  return value;
}

export class AbortSignal extends EventTarget {
  #aborted = false;
  #reason = undefined;
  #dependents = null; // array of WeakRef: a long-lived signal must not keep alive all that ever followed it
  #sweepAt = 16; // length of #dependents at which dead references are thrown out
  #pinned = null; // Set of those dependents that have listeners
  #sources = null; // keeps alive what this one follows

  constructor(token) {
    if (token !== INTERNAL) throw new TypeError('Illegal constructor: use new AbortController().signal');
    super();
  }

  get aborted() { return this.#aborted; }
  get reason() { return this.#reason; }
  throwIfAborted() { if (this.#aborted) throw this.#reason; }

  static abort(reason = undefined) {
    const signal = newSignal();
    abortSignal(signal, reason);
    return signal;
  }
  static timeout(ms) {
    requireArguments(arguments.length, 1, 'AbortSignal.timeout');
    const number = Number(ms);
    if (!(number >= 0 && number <= Number.MAX_SAFE_INTEGER)) {
      throw new TypeError(`AbortSignal.timeout: ${number} is not a number of milliseconds from 0 to 2^53 - 1`);
    }
    const signal = newSignal();
    const longest = 2 ** 31 - 1; // setTimeout's; 24 days
    setTimeout(() => abortSignal(signal, new DOMException('The operation timed out', 'TimeoutError')), Math.min(number, longest));
    return signal;
  }
  static any(signals) {
    requireArguments(arguments.length, 1, 'AbortSignal.any');
    return anySignal(Array.from(signals, (signal) => requireSignal(signal, 'AbortSignal.any: an item')));
  }

  static {
    reasonOf = (signal) => signal.#reason;
    follow = (dependent, source) => {
      const dependents = (source.#dependents ??= []);
      if (dependents.length >= source.#sweepAt) {
        source.#dependents = dependents.filter((reference) => reference.deref() !== undefined);
        source.#sweepAt = Math.max(16, source.#dependents.length * 2);
      }
      source.#dependents.push(new WeakRef(dependent));
      (dependent.#sources ??= []).push(source);
    };
    abortSignal = (signal, reason) => {
      if (signal.#aborted) return;
      const marked = [];
      mark(signal, reason === undefined ? new DOMException('The operation was aborted', 'AbortError') : reason, marked);
      for (const one of marked) deliver(one, trust(new Event('abort')));
    };
    onListenerAdded((target, type) => {
      if (type !== 'abort' || !(#sources in target) || target.#sources === null) return;
      for (const source of target.#sources) (source.#pinned ??= new Set()).add(target);
    });
    // All states change before the first listener runs.
    const mark = (signal, reason, marked) => {
      signal.#aborted = true;
      signal.#reason = reason;
      signal.#sources = null;
      marked.push(signal);
      const dependents = signal.#dependents;
      signal.#dependents = signal.#pinned = null;
      if (dependents === null) return;
      for (const reference of dependents) {
        const dependent = reference.deref();
        if (dependent !== undefined && !dependent.#aborted) mark(dependent, reason, marked);
      }
    };
  }
}
finishInterface(AbortSignal, 'AbortSignal');
defineEventHandler(AbortSignal, 'abort');

export class AbortController {
  #signal = newSignal();
  get signal() { return this.#signal; }
  abort(reason = undefined) { abortSignal(this.#signal, reason); }
}
finishInterface(AbortController, 'AbortController');
