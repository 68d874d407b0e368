// Event and EventTarget. https://dom.spec.whatwg.org/#events
// There is no tree here: an event goes to its target and nowhere else.

import { DOMException } from './domexception.js';
import { reportException } from './report_error.js';
import { defineConstants, finishInterface, isObject, requireArguments } from './webidl.js';

export let deliver; // (target, event, shownTarget = target) -> false if the event was cancelled
export let trust; // (event) -> the same event, with isTrusted

export class Event {
  #type;
  #bubbles;
  #cancelable;
  #composed;
  #target = null;
  #current = null;
  #phase = 0;
  #dispatching = false;
  #canceled = false;
  #stopped = false; // stopPropagation: without a tree it only shows in cancelBubble
  #stoppedNow = false;
  #passive = false;
  #trusted = false;
  #timeStamp = ops.now();

  constructor(type, init = undefined) {
    requireArguments(arguments.length, 1, 'Event constructor');
    if (init !== undefined && init !== null && !isObject(init)) throw new TypeError('Event constructor: init is not an object');
    this.#type = `${type}`;
    this.#bubbles = !!init?.bubbles;
    this.#cancelable = !!init?.cancelable;
    this.#composed = !!init?.composed;
  }

  get type() { return this.#type; }
  get target() { return this.#target; }
  get srcElement() { return this.#target; }
  get currentTarget() { return this.#current; }
  get eventPhase() { return this.#phase; }
  get bubbles() { return this.#bubbles; }
  get cancelable() { return this.#cancelable; }
  get composed() { return this.#composed; }
  get defaultPrevented() { return this.#canceled; }
  get returnValue() { return !this.#canceled; }
  set returnValue(value) { if (!value) this.preventDefault(); }
  get isTrusted() { return this.#trusted; }
  get timeStamp() { return this.#timeStamp; }
  get cancelBubble() { return this.#stopped; }
  set cancelBubble(value) { if (value) this.#stopped = true; }
  composedPath() { return this.#current === null ? [] : [this.#current]; }
  stopPropagation() { this.#stopped = true; }
  stopImmediatePropagation() { this.#stopped = this.#stoppedNow = true; }
  preventDefault() { if (this.#cancelable && !this.#passive) this.#canceled = true; }
  initEvent(type, bubbles = false, cancelable = false) {
    requireArguments(arguments.length, 1, 'Event.initEvent');
    if (this.#dispatching) return;
    this.#type = `${type}`;
    this.#bubbles = !!bubbles;
    this.#cancelable = !!cancelable;
    this.#canceled = this.#stopped = this.#stoppedNow = this.#trusted = false;
  }

  static {
    trust = (event) => {
      event.#trusted = true;
      return event;
    };
    deliver = (target, event, shownTarget = target) => {
      if (event.#dispatching) {
        throw new DOMException('The event is already being dispatched', 'InvalidStateError');
      }
      event.#dispatching = true;
      event.#target = event.#current = shownTarget;
      event.#phase = 2;
      if (!event.#stopped) {
        for (const listener of listenersFor(target, event.#type)) {
          if (listener.removed) continue;
          if (listener.once) dropListener(target, listener);
          event.#passive = listener.passive;
          callListener(listener.callback, event, shownTarget);
          event.#passive = false;
          if (event.#stoppedNow) break;
        }
      }
      event.#dispatching = event.#stopped = event.#stoppedNow = false;
      event.#current = null;
      event.#phase = 0;
      return !event.#canceled;
    };
  }
}
finishInterface(Event, 'Event');
defineConstants(Event, { NONE: 0, CAPTURING_PHASE: 1, AT_TARGET: 2, BUBBLING_PHASE: 3 });

function callListener(callback, event, target) {
  try {
    if (typeof callback === 'function') {
      Reflect.apply(callback, target, [event]);
    } else {
      const { handleEvent } = callback;
      if (typeof handleEvent !== 'function') throw new TypeError('handleEvent of the event listener is not a function');
      Reflect.apply(handleEvent, callback, [event]);
    }
  } catch (error) {
    reportException(error);
  }
}

let listenersFor; // (target, type) -> a copy of the list, so that listeners added meanwhile wait for the next event
let dropListener;
let listenerAdded = () => {};

// AbortSignal wants to know: one with listeners must stay alive as long as what it follows.
export function onListenerAdded(callback) {
  listenerAdded = callback;
}

export let hasListeners; // (target, type) -> bool

export class EventTarget {
  #listeners = null; // Map of type -> array of {callback, capture, once, passive, removed}; made with the first listener

  addEventListener(type, callback, options = undefined) {
    requireArguments(arguments.length, 2, 'EventTarget.addEventListener');
    const name = `${type}`;
    const { capture, once, passive, signal } = listenerOptions(options);
    if (callback !== null && callback !== undefined && !isObject(callback)) {
      throw new TypeError('EventTarget.addEventListener: the listener is neither a function nor an object');
    }
    if (signal?.aborted || callback === null || callback === undefined) return;
    this.#listeners ??= new Map();
    let list = this.#listeners.get(name);
    if (list === undefined) this.#listeners.set(name, (list = []));
    if (list.some((other) => other.callback === callback && other.capture === capture)) return;
    const listener = { type: name, callback, capture, once, passive, removed: false };
    list.push(listener);
    listenerAdded(this, name);
    signal?.addEventListener('abort', () => dropListener(this, listener), { once: true });
  }

  removeEventListener(type, callback, options = undefined) {
    requireArguments(arguments.length, 2, 'EventTarget.removeEventListener');
    const capture = typeof options === 'boolean' ? options : !!options?.capture;
    const found = this.#listeners?.get(`${type}`)?.find((other) => other.callback === callback && other.capture === capture);
    if (found !== undefined) dropListener(this, found);
  }

  dispatchEvent(event) {
    requireArguments(arguments.length, 1, 'EventTarget.dispatchEvent');
    this.#listeners; // throws a TypeError for an object that is no EventTarget
    if (!(event instanceof Event)) throw new TypeError('EventTarget.dispatchEvent: the argument is not an Event');
    return deliver(this, event);
  }

  static {
    listenersFor = (target, type) => target.#listeners?.get(type)?.slice() ?? [];
    hasListeners = (target, type) => target.#listeners !== null && (target.#listeners.get(type)?.length ?? 0) > 0;
    dropListener = (target, listener) => {
      listener.removed = true;
      const list = target.#listeners.get(listener.type);
      const index = list.indexOf(listener);
      if (index >= 0) list.splice(index, 1);
    };
  }
}
finishInterface(EventTarget, 'EventTarget');

function listenerOptions(options) {
  if (!isObject(options)) return { capture: !!options, once: false, passive: false, signal: undefined };
  const { capture, once, passive, signal } = options;
  if (signal !== undefined && !(signal instanceof EventTarget && typeof signal.aborted === 'boolean')) {
    throw new TypeError('EventTarget.addEventListener: options.signal is not an AbortSignal');
  }
  return { capture: !!capture, once: !!once, passive: !!passive, signal };
}
