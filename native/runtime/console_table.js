// console.table: rows and columns in a frame of lines. https://console.spec.whatwg.org/#table

import { inspect } from './inspect.js';

const { kindOf } = ops;
const { getOwnPropertyDescriptor, hasOwn, keys } = Object;
const { apply } = Reflect;
const mapEntries = Map.prototype.entries;
const setValues = Set.prototype.values;

const MAX_ROWS = 500;
const MAX_COLUMNS = 50;
const MAX_CELL = 200; // characters

const cellText = (value) => {
  const text = inspect(value, { depth: 0 }).replaceAll(/\s*\n\s*/g, ' ');
  return text.length > MAX_CELL ? `${text.slice(0, MAX_CELL)}…` : text;
};

const isRecord = (value) => typeof value === 'object' && value !== null && kindOf(value) !== 'proxy';

function dataOf(object, key) {
  const property = getOwnPropertyDescriptor(object, key);
  return property === undefined || !hasOwn(property, 'value') ? '[Getter]' : property.value;
}

// The first own enumerable keys. Lists are counted through, for all the keys of a long one would not fit into memory.
function firstKeys(object, limit) {
  const kind = kindOf(object);
  if (kind !== 'array' && kind !== 'typedarray') return keys(object).slice(0, limit);
  const indexes = [];
  for (let index = 0; index < limit && hasOwn(object, index); index++) indexes.push(`${index}`);
  return indexes;
}

function firstItems(iterator, limit) {
  const items = [];
  for (const item of iterator) {
    if (items.length === limit) break;
    items.push(item);
  }
  return items;
}

// [name of the row, value] of whatever can be listed.
function rowsOf(data) {
  const kind = kindOf(data);
  if (kind === 'map') return firstItems(apply(mapEntries, data, []), MAX_ROWS).map(([key, value]) => [cellText(key), value]);
  if (kind === 'set') return firstItems(apply(setValues, data, []), MAX_ROWS).map((value, index) => [`${index}`, value]);
  return firstKeys(data, MAX_ROWS).map((key) => [key, dataOf(data, key)]);
}

function columnsOf(rows) {
  const columns = new Set();
  for (const [, value] of rows) {
    if (!isRecord(value)) continue;
    for (const key of firstKeys(value, MAX_COLUMNS)) if (columns.size < MAX_COLUMNS) columns.add(key);
  }
  return [...columns];
}

function frame(lines) {
  const widths = lines[0].map((_, column) => Math.max(...lines.map((cells) => cells[column].length)) + 2);
  const rule = (left, middle, right) => left + widths.map((width) => '─'.repeat(width)).join(middle) + right;
  const row = (cells) => `│${cells.map((cell, column) => ` ${cell.padEnd(widths[column] - 1)}`).join('│')}│`;
  const [head, ...body] = lines.map(row);
  return [rule('┌', '┬', '┐'), head, rule('├', '┼', '┤'), ...body, rule('└', '┴', '┘')].join('\n');
}

// The table as text; undefined when the data cannot be shown as one.
export function formatTable(data, wanted = undefined) {
  if (!isRecord(data)) return undefined;
  const rows = rowsOf(data);
  const columns = Array.isArray(wanted) ? wanted.slice(0, MAX_COLUMNS).map((name) => `${name}`) : columnsOf(rows);
  const hasValues = rows.some(([, value]) => !isRecord(value));
  const lines = [['(index)', ...columns, ...(hasValues ? ['Values'] : [])]];
  for (const [name, value] of rows) {
    const cells = columns.map((column) => (isRecord(value) && hasOwn(value, column) ? cellText(dataOf(value, column)) : ''));
    lines.push([name, ...cells, ...(hasValues ? [isRecord(value) ? '' : cellText(value)] : [])]);
  }
  return frame(lines);
}
