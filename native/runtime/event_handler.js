// Attributes like `onabort`. https://html.spec.whatwg.org/#event-handler-attributes

import { isObject } from './webidl.js';

// Adds an `on<type>` attribute to a class of event targets. The handler takes its place in line when it is first set.
export function defineEventHandler(constructor, type) {
  const handlers = new WeakMap(); // target -> {value, listener}
  Object.defineProperty(constructor.prototype, `on${type}`, {
    configurable: true,
    enumerable: true,
    get() { return handlers.get(this)?.value ?? null; },
    set(value) {
      const next = isObject(value) ? value : null;
      let handler = handlers.get(this);
      if (handler === undefined) {
        if (next === null) return;
        handlers.set(this, (handler = { value: null, listener: null }));
        handler.listener = (event) => {
          if (typeof handler.value === 'function' && Reflect.apply(handler.value, event.currentTarget, [event]) === false) event.preventDefault();
        };
      }
      if (handler.value === null && next !== null) this.addEventListener(type, handler.listener);
      if (handler.value !== null && next === null) this.removeEventListener(type, handler.listener);
      handler.value = next;
    },
  });
}
