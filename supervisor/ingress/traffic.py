"""What the connections of one task have in common: its limits, and what came of them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from supervisor.ingress.meter import Meter, Metered
from supervisor.ingress.priority import set_priority
from supervisor.pool.exchange import Failure

if TYPE_CHECKING:
    from supervisor.ingress.connection import Connection
    from supervisor.ingress.parked import Parked
    from supervisor.ingress.ports import Port


@dataclass(frozen=True, slots=True)
class NetHold:
    """To what the connections of a task are held. None = unlimited."""

    ingress: int | None = None  # bits per second, all connections together
    connections: int | None = None  # open at once
    priority: int | None = None  # SO_PRIORITY of each; None: as the kernel has it


@dataclass(frozen=True, slots=True)
class NetUsage:
    """What a task's clients did since this process began."""

    received: int  # bytes
    sent: int  # bytes of answers, those included that wait for the client to take them
    connections: int  # open now
    refused: int  # connections, because so many were open
    paused_s: float  # for so long some connection had to wait for limits.net.ingress


class Traffic:
    """One task's; it outlives its ports, which may change hands. Loop thread."""

    __slots__ = (
        "_loop",
        "_open_doors",
        "_paused_s",
        "_read_into",
        "connections",
        "hold",
        "in_line",
        "is_shut",
        "meter",
        "most",
        "parked",
        "ports",
        "received",
        "refused",
        "sent",
        "task_id",
    )

    def __init__(
        self,
        task_id: str,
        loop: asyncio.AbstractEventLoop,
        read_into: memoryview,
        *,
        in_line: bool,
        open_doors: Callable[[Traffic], None],
    ) -> None:
        """`in_line`: too many connections wait to be accepted, and `open_doors` accepts them; else they are told."""
        self._loop = loop
        self._read_into = read_into
        self._open_doors = open_doors
        self._paused_s = 0.0  # by meters that are not used any more
        self.task_id = task_id
        self.in_line = in_line
        self.is_shut = False  # nothing is accepted until there is room
        self.hold = NetHold()
        self.most = math.inf
        self.meter: Meter | None = None
        self.connections = 0
        self.received = 0
        self.sent = 0
        self.refused = 0
        self.ports: set[Port] = set()
        self.parked: dict[Parked, None] = {}  # in their order

    @property
    def is_full(self) -> bool:
        """Whether one more connection is too many."""
        return self.connections >= self.most

    @property
    def full(self) -> Failure:
        """What a client hears then."""
        return Failure(
            503, "connections-full", "Too many connections", "The task has as many connections open as it may.", 1,
            limit=self.hold.connections, unit="connections",
        )  # fmt: skip

    def usage(self) -> NetUsage:
        """As of now."""
        paused_s = self._paused_s + (0.0 if self.meter is None else self.meter.paused_s)
        return NetUsage(self.received, self.sent, self.connections, self.refused, paused_s)

    # -- limits that change ----------------------------------------------------------------------------------------

    def change(self, hold: NetHold, connections: list[Connection]) -> None:
        """Holds from now on; `connections`: its open ones. More of them than there may be stay."""
        before, self.hold = self.hold, hold
        if hold.ingress != before.ingress:
            self._change_ingress(hold.ingress, connections)
        if hold.priority != before.priority:
            for connection in connections:
                if connection.transport is not None:
                    set_priority(connection.transport, hold.priority or 0)
        self.most = math.inf if hold.connections is None else hold.connections
        self._shut_if_full()
        self.make_room()

    def _change_ingress(self, bits_per_s: int | None, connections: list[Connection]) -> None:
        if bits_per_s is not None and self.meter is not None:
            self.meter.change(bits_per_s)
            return
        if self.meter is not None:
            self._paused_s += self.meter.paused_s
        self.meter = None if bits_per_s is None else Meter(bits_per_s, self._loop, self._read_into)
        for connection in connections:
            self._attach(connection)

    def _attach(self, connection: Connection) -> None:
        """Puts the meter between a connection and its transport, or takes it away."""
        former, connection.metered = connection.metered, None
        transport = connection.transport
        if transport is None or transport.is_closing():
            if former is not None:
                former.leave()
            return
        if self.meter is None:
            transport.set_protocol(connection)
        else:
            connection.metered = Metered(self.meter, connection)
            transport.set_protocol(connection.metered)
        if former is not None:
            former.leave()

    # -- who comes and goes ----------------------------------------------------------------------------------------

    def join(self, connection: Connection) -> None:
        """It is open."""
        self.connections += 1
        if self.meter is not None:
            self._attach(connection)
        self._shut_if_full()

    def leave(self, connection: Connection) -> None:
        """It is gone; who waits comes in."""
        self.connections -= 1
        if connection.metered is not None:
            connection.metered.leave()
            connection.metered = None
        self.make_room()

    def make_room(self) -> None:
        """Lets in who waits, and accepts again."""
        while self.parked and not self.is_full:
            next(iter(self.parked)).enter()
        if self.is_shut and not self.is_full:
            self.is_shut = False
            self._open_doors(self)

    def _shut_if_full(self) -> None:
        if self.in_line and self.is_full and not self.is_shut:
            self.is_shut = True
            for port in self.ports:
                port.pause()
