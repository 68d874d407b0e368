"""Heads of requests by their exact bytes: what a client repeats is parsed and checked once.

Clients of one kind send the same head over and over. Parsing one takes 3 to 9 us, finding it again 0.2 to 0.4. The
parser remains the only judge of what is valid: only what it accepted is remembered, and only bytes that are exactly the
same are recognised, at a place where it stands between two requests.

What is remembered holds what heads hold, cookies included; it never leaves the process and is dropped when full.
"""

from __future__ import annotations

from supervisor.ingress.heads import Head
from supervisor.ingress.options import COLLECT

HEAD_END = b"\r\n\r\n"

# Heads kept, and the largest: with the fields in their other form below 5 MB. Browsers' heads have 400 to 1,500 bytes.
CAPACITY = 1024
LARGEST = 2048


class HeadMemo:
    """One per process. Full, it starts anew: that costs a miss nothing and needs no order of use.

    Heads that announce a body are kept apart, so that none of them can be taken for a whole request.
    """

    __slots__ = ("_announcing", "_capacity", "_whole", "recall", "recall_announcing")

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._whole: dict[bytes, Head] = {}
        self._announcing: dict[bytes, Head] = {}
        self._capacity = capacity
        self.recall = self._whole.get  # the request without a body that exactly these bytes are, or None
        self.recall_announcing = self._announcing.get  # the head before a body that exactly these bytes are, or None

    def __len__(self) -> int:
        return len(self._whole) + len(self._announcing)

    def remember(self, wire: bytes, head: Head) -> None:
        """Keeps `head`, which the parser made of `wire` and nothing else while it stood between two requests."""
        if len(wire) > LARGEST or not self._capacity or head.expects or head.length is None or head.length > COLLECT:
            return
        if len(self) >= self._capacity:
            self._whole.clear()
            self._announcing.clear()
        heads = self._announcing if head.length else self._whole
        heads[wire] = head


def head_size(data: bytes) -> int:
    """Size of the head that `data` begins with; 0 if it is not all there or not at the very start."""
    if data[:1] in b"\r\n":  # empty lines are allowed before a request, and two of them look like a head's end
        return 0
    return data.find(HEAD_END) + len(HEAD_END) if HEAD_END in data else 0
