"""One listening socket: whose it is, whether it takes connections, and how many it has."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace

from supervisor.ingress.server import SharedServer
from supervisor.ingress.sockets import Bound
from supervisor.ingress.traffic import Traffic
from supervisor.pool.exchange import Backend
from supervisor.spec.histogram import Histogram
from supervisor.spec.listen import ListenAddress


@dataclass(slots=True, eq=False)
class Port:
    """What the connections of one listening socket have in common."""

    server: SharedServer
    backend: Backend
    traffic: Traffic  # of the task
    asked: ListenAddress  # as the task's settings say
    bound: Bound
    connections: int = 0  # open now
    latency: Histogram = field(default_factory=Histogram, repr=False)  # from a request's hand-over to its answer's end
    listening: asyncio.Server | None = field(default=None, repr=False)

    @property
    def address(self) -> ListenAddress:
        """As bound: a port of 0 has become a number."""
        return self.bound.address

    def pause(self) -> None:
        """Takes no more connections: they wait in the socket, for whoever accepts next."""
        if self.listening is not None:
            kept = self.bound.sock.dup()  # closing the server closes the socket that it was given
            self.listening.close()
            self.listening = None
            self.bound = replace(self.bound, sock=kept)

    def stop_accepting(self) -> None:
        """Closes the listening socket; the connections it took go on."""
        if self.listening is not None:
            self.listening.close()
            self.listening = None
        self.bound.close()

    def release(self) -> None:
        """Closes our hold of the socket and leaves its file: another process accepts what comes."""
        if self.listening is not None:
            self.listening.close()
            self.listening = None
        self.bound.sock.close()
