"""MessagePack as Serf's agent speaks it: the old form, in which texts and bytes are one kind. Pure.

Nothing marks where a message begins: it is one object after the other, and what they mean is for replies.py.
"""

from __future__ import annotations

from typing import Any

import msgpack

# Bytes of one object. `members` of 1,000 hosts whose tags are as long as they may be is 0.7 MB.
LARGEST = 16 * 2**20
# Elements of one array or map: hosts. Space for them is taken as soon as their number is announced.
MOST = 20_000


class Malformed(Exception):
    """These bytes are not what an agent sends; nothing that follows them on this connection can be trusted."""


def encode(value: Any) -> bytes:
    """The bytes of a value of texts, bytes, integers, booleans, lists and dictionaries."""
    return bytes(msgpack.packb(value, use_bin_type=False))


class Decoder:
    """Turns bytes, in whatever pieces they come, into objects. Texts stay bytes: see text()."""

    def __init__(self) -> None:
        self._unpacker = msgpack.Unpacker(
            raw=True, max_buffer_size=LARGEST, max_array_len=MOST, max_map_len=MOST, max_ext_len=0
        )

    def feed(self, data: bytes) -> list[Any]:
        """The objects that are complete with `data`. Malformed: then the decoder is of no use any more."""
        try:
            self._unpacker.feed(data)
            return list(self._unpacker)
        except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
            raise Malformed(f"the agent sent what is no message: {error or type(error).__name__}") from error


def text(value: object) -> str:
    """A text that came; what is none is an empty one. Bytes that are no UTF-8 are replaced."""
    return value.decode(errors="replace") if isinstance(value, bytes) else ""


def number(value: object) -> int:
    """A number that came; what is none is 0."""
    return value if isinstance(value, int) else 0


def items(value: object) -> list[Any]:
    """A list that came; what is none (the agent sends nil for an empty one) is an empty one."""
    return value if isinstance(value, list) else []


def texts(value: object) -> dict[str, str]:
    """A map of texts that came; what is none is an empty one."""
    return {text(key): text(each) for key, each in value.items()} if isinstance(value, dict) else {}
