// Errors for inspect: the stack, then what else the error carries.

import { fieldsOf, isDOMException } from './domexception.js';
import { classNameFor, propertyEntries } from './inspect_properties.js';
import { indent, layOut } from './inspect_text.js';

const { kindOf } = ops;
const { getOwnPropertyDescriptor } = Object;
const { apply } = Reflect;

const MAX_STACK = 16_384; // characters; deeper stacks say nothing more
// V8 gives every error the same getter; any other is the program's own and is not called.
const stackGetter = getOwnPropertyDescriptor(new Error(''), 'stack').get;

export const isErrorLike = (value, kind) => kind === 'error' || (kind === 'object' && isDOMException(value));

// A property that holds a value, of the error or of its classes.
function textOf(error, key) {
  for (let holder = error, depth = 0; depth < 10 && holder !== null && kindOf(holder) !== 'proxy'; depth++) {
    const property = getOwnPropertyDescriptor(holder, key);
    if (property !== undefined) return typeof property.value === 'string' ? property.value : undefined;
    holder = Object.getPrototypeOf(holder);
  }
  return undefined;
}

function headOf(error) {
  if (isDOMException(error)) return `${fieldsOf(error).name}: ${fieldsOf(error).message}`;
  const name = textOf(error, 'name') ?? classNameFor(error);
  const message = textOf(error, 'message');
  return message === undefined || message === '' ? name : `${name}: ${message}`;
}

function stackOf(error) {
  try {
    const property = getOwnPropertyDescriptor(error, 'stack');
    const stack = property !== undefined && property.get === stackGetter ? apply(stackGetter, error, []) : property?.value;
    if (typeof stack === 'string' && stack !== '') return stack;
  } catch {
    // The program's Error.prepareStackTrace has thrown.
  }
  return undefined;
}

// A class that extends Error and sets no name writes "Error: …"; its own name says more.
function withClassName(error, stack) {
  const name = textOf(error, 'name');
  const className = classNameFor(error);
  const isNamed = name === undefined || className === name || !stack.startsWith(name) || stack.split('\n', 1)[0].includes(className);
  return isNamed ? stack : className + stack.slice(name.length);
}

// The stack's first line was written when the error was made; name or message may have been set since.
function currentStack(error) {
  const stack = stackOf(error);
  if (stack === undefined) return `[${headOf(error)}]`;
  const shown = stack.length > MAX_STACK ? `${stack.slice(0, MAX_STACK)}…` : stack;
  const message = isDOMException(error) ? fieldsOf(error).message : textOf(error, 'message');
  if (message === undefined || stack.includes(message)) return withClassName(error, shown);
  const frames = shown.indexOf('\n    at ');
  return frames < 0 ? headOf(error) : headOf(error) + shown.slice(frames);
}

export function showError(painting, error, level) {
  if (level > painting.maxDepth) return `[${headOf(error)}]`;
  const stack = currentStack(error);
  painting.room -= stack.length;
  const entries = propertyEntries(painting, error, level, (key) => key !== 'stack' && key !== 'message');
  for (const key of ['cause', 'errors']) {
    const property = getOwnPropertyDescriptor(error, key);
    if (property === undefined || property.enumerable || !Object.hasOwn(property, 'value')) continue;
    entries.push(`[${key}]: ${painting.show(property.value, level + 1)}`);
  }
  if (entries.length === 0) return stack;
  const body = `\n  ${entries.map((entry) => indent(entry)).join(',\n  ')}\n`;
  return stack.includes('\n') ? `${stack} {${body}}` : layOut(stack, '{}', entries, level, false);
}
