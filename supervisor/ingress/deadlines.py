"""How a connection ends: the client goes, does not go on, or the host wants it gone.

One timer per connection looks at the phase when it fires; nothing is set or cancelled per request.
"""

from __future__ import annotations

from supervisor.ingress import problems
from supervisor.ingress.lent import Lent
from supervisor.ingress.phases import Phase
from supervisor.ingress.ports import Port
from supervisor.pool.exchange import FLAG_CLOSE


class Watched(Lent):
    """Ends a connection in good order."""

    __slots__ = ("_deaf", "_half_closed", "_head_bytes", "_stuck")

    def __init__(self, port: Port) -> None:
        super().__init__(port)
        self._head_bytes = 0  # of an incomplete head
        self._deaf = False  # what comes in is not HTTP any more, or not for us
        self._half_closed = False  # the client will send no more
        self._stuck = (0, 0.0)  # bytes that waited for the client at the last look, and since when

    def _is_idle(self) -> bool:
        if self._number or self._messages or self._head_bytes:
            return False
        return self._phase in (Phase.WAITING, Phase.RECEIVING) or (self._phase is Phase.LENT and self._is_parked())

    # the client goes

    def eof_received(self) -> bool:  # type: ignore[override]
        """A client that sends no more gets the answers in flight, if they come soon: it may also be gone."""
        if self._half_closed:  # told again by the transport when reading resumed
            return True
        if self._phase is Phase.CLOSING or not (self._number or self._messages):
            return False
        if self._payload is not None and not self._payload.is_eof():
            return False
        self._half_closed = self._deaf = True
        self._look_again(self._port.server.options.half_closed, self._give_up_half_closed)
        return True

    def _give_up_half_closed(self) -> None:
        self._look_again(self._port.server.tick, self._process_keepalive)
        if self._number or self._messages:
            self._cut()

    # the host wants it gone

    def retire(self) -> None:
        """Answers what is in flight, announces the end with the next answer, and closes when idle."""
        self._extra_flags |= FLAG_CLOSE
        if self.transport is None or not self._is_idle():
            return
        left = self._since + self._port.server.idle_grace - self._loop.time()
        if left <= 0:
            self._shut()
        else:
            self._loop.call_later(left, self.retire)

    def abort(self) -> None:
        """Ends the connection at once, whatever is in flight."""
        self._cut()

    # the client does not go on

    def _process_keepalive(self) -> None:
        """Replaces aiohttp's own look, which takes a request on the fast path for an idle connection."""
        if self.transport is None:
            return
        now = self._loop.time()
        self._keepalive_handle = self._loop.call_later(self._port.server.tick, self._process_keepalive)
        size = self.transport.get_write_buffer_size()
        if size:
            self._watch_writing(size, now)
        else:
            self._stuck = (0, now)
            if not self._held:  # that the client sends nothing may be our doing
                self._watch_reading(now - self._since)

    def _watch_writing(self, size: int, now: float) -> None:
        """Gives up a client that takes nothing of what waits for it."""
        stuck_size, stuck_since = self._stuck
        if size != stuck_size:
            self._stuck = (size, now)
        elif now - stuck_since >= self._port.server.options.send_timeout:
            self._cut()
        self._since = now  # waiting for the client's next request begins when it has the answer

    def _watch_reading(self, waited: float) -> None:
        """Gives up a client that does not send what it has to send next."""
        options = self._port.server.options
        if self._phase is Phase.COLLECTING or self._hungry:
            if waited >= options.body_timeout:
                self._answer_instead(408)
        elif self._is_idle():
            limit = options.head_timeout if self._head is None else options.keep_alive
            if waited >= limit:
                self._shut()
        elif self._head_bytes and self._phase is Phase.RECEIVING and waited >= options.head_timeout:
            self._refuse(problems.fault(408), head_only=False)
