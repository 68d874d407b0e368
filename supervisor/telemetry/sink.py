"""Where log lines go: a file descriptor behind a bounded queue and a thread of its own.

A terminal that is stopped, or a reader that is slow, blocks whoever writes. That must not be the loop, so lines are
queued and a thread writes them; when the queue is full, lines are dropped and counted rather than waited for.
"""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable

QUEUE_BYTES = 4 * 2**20  # a second of the fastest tenants' output; more would only delay what comes out
TENANTS_BYTES = 3 * 2**20  # tenants' lines are dropped first, so that they cannot push out the host's own
CLOSE_SECONDS = 1.0  # a reader that takes nothing for so long will not hold up the host's end


class LineSink:
    """Writes lines to a descriptor, in order, without ever blocking the caller; survives a reader that goes away."""

    def __init__(self, fd: int, dropped_note: Callable[[int], bytes]) -> None:
        """`dropped_note` makes the line that tells how many were dropped; called on the sink's thread."""
        self._fd = fd
        self._dropped_note = dropped_note
        self._lines: deque[bytes] = deque()
        self._size = 0
        self._dropped = 0
        self.dropped_lines = 0  # ever; any thread may read it
        self._closing = False
        self._broken = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def write(self, line: bytes, *, tenant: bool = False) -> None:
        """Queues a line (with its line feed). Any thread; takes a lock only for the queue push."""
        limit = TENANTS_BYTES if tenant else QUEUE_BYTES
        with self._changed:
            if self._broken or self._closing:
                return
            if self._size + len(line) > limit:
                self._dropped += 1
                self.dropped_lines += 1
                return
            self._lines.append(line)
            self._size += len(line)
            self._changed.notify()

    def close(self) -> None:
        """Writes what is queued and ends the thread, waiting at most CLOSE_SECONDS. May be called twice."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        while (batch := self._take()) is not None:
            try:
                _write_all(self._fd, batch)
            except OSError:  # EPIPE, EIO of a terminal that is gone: nobody reads, nobody can be told
                with self._changed:
                    self._broken = True
                    self._lines.clear()
                return

    def _take(self) -> bytes | None:
        """Everything queued, as one piece; waits for something. None when closed and empty."""
        with self._changed:
            while not self._lines and not self._closing:
                self._changed.wait()
            batch, self._size, dropped = b"".join(self._lines), 0, self._dropped
            self._lines.clear()
            self._dropped = 0
        if dropped:
            batch += self._dropped_note(dropped)
        return batch or None


def _write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view) :]
        except BlockingIOError:  # somebody who shares the descriptor made it non-blocking
            _wait_writable(fd)


def _wait_writable(fd: int) -> None:
    poll = select.poll()
    poll.register(fd, select.POLLOUT)
    poll.poll()
