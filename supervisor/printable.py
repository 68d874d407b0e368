"""Text that strangers wrote, made fit for a terminal and a log: it can neither forge a line nor hide one."""

from __future__ import annotations

import json
import re

VALUE_SHOWN = 60  # characters of an offending value: enough to recognise it, and the line stays readable
SOURCE_SHOWN = 160  # characters of a source line: minified sources are one line of megabytes

# Control characters (C0, DEL, C1), characters that reorder or hide text (bidirectional overrides, zero width, tags),
# Unicode's own line separators, and halves of surrogate pairs, which UTF-8 cannot carry. The zero-width joiners
# U+200C and U+200D stay: Persian, Indic scripts and emoji need them and they only join neighbours.
_UNFIT = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)
# What stands before the host in a URL is a name and a password.
_PASSWORD = re.compile(r"(?<=://)[^/\s\"]*@")
_SHORT = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def printable(text: str) -> str:
    """`text` on one line, with everything that could move a cursor or hide other text escaped."""
    return _UNFIT.sub(_escape, text)


def printable_lines(text: str) -> list[str]:
    """The lines of `text`, split at line feeds only, each printable."""
    return [printable(line.removesuffix("\r")) for line in text.split("\n")]


def on_one_line(text: str) -> str:
    """The lines of `text` after each other, for where a text is one of several on a line."""
    return "; ".join(line.strip() for line in text.split("\n") if line.strip())


def shown(value: object) -> str:
    """`value` as it would stand in a file, short, on one line, without the passwords of URLs."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except ValueError, TypeError, RecursionError:  # circular, odd keys or very deep: only its kind can be told
        text = f"a {type(value).__name__}"
    text = printable(_PASSWORD.sub("…@", text))
    return text if len(text) <= VALUE_SHOWN else text[: VALUE_SHOWN - 1] + "…"


def excerpt(line: int, column: int | None, source: str) -> list[str]:
    """A source line with its number, and a caret under the column (counted from 1)."""
    source, column = _window(source.rstrip("\r\n").replace("\t", " "), column)
    number = f"{line} | "
    lines = [number + printable(source)]
    if column is not None:
        lines.append(" " * (len(number) - 2) + "| " + " " * len(printable(source[: column - 1])) + "^")
    return lines


def _window(source: str, column: int | None) -> tuple[str, int | None]:
    """The part of a long line that holds the column, and where the column is in that part."""
    if column is None:
        return source[:SOURCE_SHOWN], None
    column = min(max(column, 1), len(source) + 1)
    start = 0 if len(source) <= SOURCE_SHOWN else max(0, column - SOURCE_SHOWN // 2)
    return source[start : start + SOURCE_SHOWN], column - start


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    code = ord(character)
    if code < 0x100:
        return _SHORT.get(character) or f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
