"""One listening socket: whose it is and how many connections it has."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from supervisor.ingress.server import SharedServer
from supervisor.ingress.sockets import Bound
from supervisor.pool.exchange import Backend
from supervisor.spec.listen import ListenAddress


@dataclass(slots=True, eq=False)
class Port:
    """What the connections of one listening socket have in common."""

    server: SharedServer
    backend: Backend
    bound: Bound
    connections: int = 0  # open now
    listening: asyncio.Server | None = field(default=None, repr=False)

    @property
    def address(self) -> ListenAddress:
        """As bound: a port of 0 has become a number."""
        return self.bound.address

    def stop_accepting(self) -> None:
        """Closes the listening socket; the connections it took go on."""
        if self.listening is not None:
            self.listening.close()
            self.listening = None
        self.bound.close()
