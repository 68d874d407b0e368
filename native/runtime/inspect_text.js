// Text for inspect: quoted strings, and lists of entries laid out in lines.

const LINE = 76; // columns that one line may take
const SHORT = 16; // entries up to this length share lines
const MANY = 6; // more short entries than this are laid out like words in a paragraph

const ESCAPES = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\b': '\\b', '\f': '\\f', '\v': '\\v', '\\': '\\\\' };
// Control characters, the backslash and lone surrogates.
const SPECIAL = /[\x00-\x1f\x7f-\x9f\\]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

const escapeCharacter = (character) => {
  if (ESCAPES[character] !== undefined) return ESCAPES[character];
  const code = character.charCodeAt(0);
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16)}`;
};

export const plural = (count, what) => `${count} more ${what}${count === 1 ? '' : 's'}`;

// The string between quotes that it does not contain, if there are any.
export function quote(text, limit) {
  const shown = text.length > limit ? text.slice(0, limit) : text;
  const mark = !shown.includes("'") ? "'" : !shown.includes('"') ? '"' : !shown.includes('`') && !shown.includes('${') ? '`' : "'";
  const escaped = shown.replace(SPECIAL, escapeCharacter);
  const quoted = mark === "'" ? escaped.replaceAll("'", "\\'") : escaped;
  const rest = text.length - shown.length;
  return `${mark}${quoted}${mark}${rest > 0 ? `… ${plural(rest, 'character')}` : ''}`;
}

const IDENTIFIER = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;

// A property's name as it would be written in an object literal.
export function keyText(key) {
  if (typeof key === 'symbol') return `[${Symbol.prototype.toString.call(key)}]`;
  return key.length < 100 && IDENTIFIER.test(key) ? key : quote(key, 1000);
}

export const indent = (text, by = '  ') => (text.includes('\n') ? text.replaceAll('\n', `\n${by}`) : text);

function fillLines(entries) {
  const lines = [];
  let line = '';
  for (const entry of entries) {
    if (line !== '' && line.length + entry.length + 2 > LINE - 2) {
      lines.push(`${line},`);
      line = '';
    }
    line += line === '' ? entry : `, ${entry}`;
  }
  lines.push(line);
  return lines.join('\n  ');
}

// The entries between brackets, after the prefix: on one line when that is short, else on several.
export function layOut(prefix, [opening, closing], entries, level, isList) {
  const start = prefix === '' ? opening : `${prefix} ${opening}`;
  if (entries.length === 0) return `${start}${closing}`;
  let length = start.length + 4 + 2 * level;
  let isFlat = true;
  let isShort = true;
  for (const entry of entries) {
    length += entry.length + 2;
    if (entry.length > SHORT) isShort = false;
    if (entry.includes('\n')) isFlat = false;
  }
  if (isFlat && length <= LINE) return `${start} ${entries.join(', ')} ${closing}`;
  if (isList && isFlat && isShort && entries.length > MANY) return `${start}\n  ${fillLines(entries)}\n${closing}`;
  return `${start}\n  ${entries.map((entry) => indent(entry)).join(',\n  ')}\n${closing}`;
}
