// `process`: as much of it as programs use that do not need Node.

import { queueMicrotask } from './timers.js';

export const taskEnv = {}; // the `env` argument of fetch handlers

// Hook: what this isolate is to run. Makes globalThis.process.
export function boot(json) {
  const { args, env, mainPath, pwd } = JSON.parse(json);
  Object.assign(taskEnv, env);
  const process = {
    env: { ...env },
    argv: ['isolated', mainPath, ...(args ?? []).map(String)],
    platform: 'linux',
    versions: {},
    cwd() { return pwd; },
    exit(code = 0) { ops.exit(toExitCode(code)); },
    nextTick(callback, ...values) {
      if (typeof callback !== 'function') throw new TypeError('process.nextTick: the callback is not a function');
      queueMicrotask(() => callback(...values));
    },
  };
  Object.defineProperty(globalThis, 'process', { value: process, writable: true, configurable: true });
}

// Undoes boot() without an environment: for the warm-up.
export function unboot() {
  delete globalThis.process;
}

function toExitCode(code) {
  const number = Number(code ?? 0);
  if (!Number.isInteger(number)) throw new TypeError(`process.exit: ${String(code)} is not an integer`);
  return number & 0xff;
}
