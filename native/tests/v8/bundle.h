// A runtime of a few lines in place of the real one: programs get hold of `ops` and answer every hook themselves, as
// `on.<hook>`. What is tested so is the native side alone, against programs that may do anything with it.
#pragma once

inline constexpr char kBundle[] = R"js(
  'use strict';
  globalThis.ops = ops;
  globalThis.on = {};
  const forward = (name) => (...values) => on[name]?.(...values);
  const formatError = (error) => String(error?.stack ?? error);
  const names = ['start', 'bodyChunk', 'bodyEnd', 'bodyFailed', 'abort', 'credit', 'timer', 'unhandledRejection',
                 'rejectionHandled', 'warmUp', 'dispatch', 'limitNear'];
  const hooks = Object.fromEntries(names.map((name) => [name, forward(name)]));
  ops.setHooks({
    ...hooks,
    boot(json) { globalThis.parameters = JSON.parse(json); },
    loaded(namespace) {
      globalThis.main = namespace;
      on.loaded?.();
      return on.dispatch !== undefined;
    },
    uncaught(error) { ops.log(3, 'uncaught: ' + formatError(error)); },
    formatError,
  });
  globalThis.answer = (id, text) => {
    ops.respond(id, 200, '', '', text);
    ops.exchangeDone(id);
  };
)js";
