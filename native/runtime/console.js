// console. https://console.spec.whatwg.org

import { formatArguments, symbolOrString } from './console_format.js';
import { formatTable } from './console_table.js';
import { inspect } from './inspect.js';
import './inspect_platform.js';
import { isObject } from './webidl.js';

const { captureStackTrace } = Error;

const DEBUG = 0, INFO = 1, WARNING = 2, ERROR = 3;
const MAX_INDENT = 20; // groups deeper than this are not moved further to the right

let groups = 0;
const counts = new Map();
const timers = new Map(); // label -> when it started

function write(level, text) {
  const margin = '  '.repeat(Math.min(groups, MAX_INDENT));
  ops.log(level, margin === '' ? text : margin + text.replaceAll('\n', `\n${margin}`));
}

const labelOf = (label) => (label === undefined ? 'default' : symbolOrString(label));

function duration(milliseconds) {
  if (milliseconds < 1000) return `${Number(milliseconds.toFixed(3))}ms`;
  if (milliseconds < 60_000) return `${Number((milliseconds / 1000).toFixed(3))}s`;
  const seconds = Math.floor(milliseconds / 1000);
  return `${Math.floor(seconds / 60)}:${`${seconds % 60}`.padStart(2, '0')} (m:ss)`;
}

// Writes the timer's time; returns false, with a warning, when there is none.
function writeTime(label, values) {
  const started = timers.get(label);
  if (started === undefined) {
    write(WARNING, `There is no timer "${label}"`);
    return false;
  }
  write(INFO, formatArguments([`${label}: ${duration(ops.now() - started)}`.replaceAll('%', '%%'), ...values]));
  return true;
}

export const console = {
  debug(...values) { write(DEBUG, formatArguments(values)); },
  log(...values) { write(INFO, formatArguments(values)); },
  info(...values) { write(INFO, formatArguments(values)); },
  warn(...values) { write(WARNING, formatArguments(values)); },
  error(...values) { write(ERROR, formatArguments(values)); },

  assert(condition = false, ...values) {
    if (condition) return;
    if (typeof values[0] === 'string') values[0] = `Assertion failed: ${values[0]}`;
    else values.unshift('Assertion failed');
    write(ERROR, formatArguments(values));
  },

  trace(...values) {
    const text = formatArguments(values);
    const holder = { name: 'Trace', message: text };
    captureStackTrace(holder, console.trace);
    const frames = `${holder.stack}`.split('\n').filter((line) => line.startsWith('    at '));
    write(INFO, [`Trace${text === '' ? '' : `: ${text}`}`, ...frames].join('\n'));
  },

  dir(value, options = undefined) { write(INFO, inspect(value, { depth: options?.depth })); },
  dirxml(...values) { write(INFO, values.map((value) => inspect(value)).join(' ')); },

  table(data = undefined, columns = undefined) {
    const text = isObject(data) ? formatTable(data, columns) : undefined;
    write(INFO, text ?? formatArguments([data]));
  },

  count(label = undefined) {
    const name = labelOf(label);
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    write(INFO, `${name}: ${count}`);
  },
  countReset(label = undefined) {
    if (!counts.delete(labelOf(label))) write(WARNING, `There is no count for "${labelOf(label)}"`);
  },

  group(...values) {
    if (values.length > 0) write(INFO, formatArguments(values));
    groups++;
  },
  groupCollapsed(...values) { console.group(...values); },
  groupEnd() { if (groups > 0) groups--; },

  time(label = undefined) {
    const name = labelOf(label);
    if (timers.has(name)) write(WARNING, `There is already a timer "${name}"`);
    else timers.set(name, ops.now());
  },
  timeLog(label = undefined, ...values) { writeTime(labelOf(label), values); },
  timeEnd(label = undefined) {
    if (writeTime(labelOf(label), [])) timers.delete(labelOf(label));
  },
  timeStamp() {},

  clear() {},
};
Object.defineProperty(console, Symbol.toStringTag, { value: 'console', configurable: true });
