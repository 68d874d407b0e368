"""From bytes to answers: which objects are headers, which are bodies, and whose. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from supervisor.cluster.serf.codec import Decoder, Malformed, number, text
from supervisor.cluster.serf.commands import UNHEARD, Body

# Answers that may be outstanding, with those that nobody waits for any more: an agent that owes so many is not well.
MOST = 1024


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, or one record of a stream. `error` is the agent's word, empty if there is none."""

    seq: int
    error: str = ""
    body: Any = None


class Replies:
    """Of one connection. Malformed: it has to be closed."""

    def __init__(self) -> None:
        self._decoder = Decoder()
        self._expected: dict[int, Body] = {}
        self._begun: set[int] = set()  # streams whose first header came
        self._header: Reply | None = None  # its body is still to come
        self._skips = False  # what comes next may be a body that nobody reads

    @property
    def outstanding(self) -> int:
        """How many calls and streams may still be answered."""
        return len(self._expected)

    def expect(self, seq: int, body: Body) -> None:
        """An answer to call `seq` will come. Malformed if the agent owes too many."""
        if len(self._expected) >= MOST:
            raise Malformed(f"the agent owes {MOST} answers")
        self._expected[seq] = body

    def finish(self, seq: int) -> None:
        """No more records of that stream will come."""
        self._expected.pop(seq, None)
        self._begun.discard(seq)

    def feed(self, data: bytes) -> list[Reply]:
        """The answers that are complete with `data`."""
        return [reply for each in self._decoder.feed(data) if (reply := self._take(each)) is not None]

    def _take(self, value: Any) -> Reply | None:
        if self._header is not None:
            header, self._header = self._header, None
            return Reply(header.seq, header.error, value)
        skips, self._skips = self._skips, False
        if skips and not _is_header(value):
            return None
        header = _header(value)
        if not self._has_body(header):
            return header
        self._header = header
        return None

    def _has_body(self, header: Reply) -> bool:
        body = self._expected.get(header.seq)
        if body is None:
            raise Malformed(f"the agent answers call {header.seq}, which was not made")
        if body is Body.LATER and not header.error:
            if header.seq in self._begun:
                return True
            self._begun.add(header.seq)
            return False
        self.finish(header.seq)
        self._skips = body is Body.MAYBE
        return body is Body.ALWAYS and header.error not in UNHEARD


def _is_header(value: Any) -> bool:
    return isinstance(value, dict) and value.keys() == {b"Seq", b"Error"} and isinstance(value[b"Seq"], int)


def _header(value: Any) -> Reply:
    if not _is_header(value):
        raise Malformed("the agent sent something else where a header has its place")
    return Reply(number(value[b"Seq"]), text(value[b"Error"]))
