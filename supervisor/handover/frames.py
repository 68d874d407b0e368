"""Messages as bytes: four of length, big end first, then a JSON object. What is malformed is a ProtocolError."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from supervisor.handover.protocol import ProtocolError, Word

HEAD = 4  # bytes
LARGEST = 64 * 2**20  # bytes: 10,000 tasks at 6 KiB of settings each


@dataclass(frozen=True, slots=True)
class Message:
    """A word and what belongs to it."""

    word: Word
    body: Mapping[str, Any] = field(default_factory=dict)


def encode(message: Message) -> bytes:
    """The message's bytes. ProtocolError if it is larger than what the other side takes."""
    text = json.dumps({"word": message.word, "body": message.body}, separators=(",", ":")).encode()
    if len(text) > LARGEST:
        raise ProtocolError(f"a message of {len(text)} bytes is larger than {LARGEST}")
    return len(text).to_bytes(HEAD) + text


class Decoder:
    """Turns bytes, in whatever pieces they come, into messages."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are complete with `data`."""
        self._bytes += data
        found = []
        while (text := self._next()) is not None:
            found.append(_message(text))
        return found

    def _next(self) -> bytes | None:
        if len(self._bytes) < HEAD:
            return None
        end = HEAD + int.from_bytes(self._bytes[:HEAD])
        if end > HEAD + LARGEST:
            raise ProtocolError(f"a message of {end - HEAD} bytes is announced, {LARGEST} is the most")
        if len(self._bytes) < end:
            return None
        text = bytes(self._bytes[HEAD:end])
        del self._bytes[:end]
        return text


def _message(text: bytes) -> Message:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProtocolError("a message is not JSON") from error
    if not isinstance(document, dict) or not isinstance(body := document.get("body"), dict):
        raise ProtocolError("a message is not an object with a body")
    try:
        return Message(Word(str(document.get("word"))), body)
    except ValueError as error:
        raise ProtocolError("a message begins with an unknown word") from error
