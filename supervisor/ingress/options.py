"""What a host may set about its listening side; every number with where it comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True)
class IngressOptions:
    """Limits of connections, the same for all ports of a process. Times are seconds, sizes are bytes; None = unlimited.

    Times are upheld by one timer per connection that looks at most a third of the shortest of them late.
    """

    max_body: int | None = 100 * MIB  # of a request; nginx's and most hosts' ceilings lie between 1 MiB and 100 MiB
    keep_alive: float = 75.0  # idle connection; above the 60 s after which most load balancers give one up themselves
    head_timeout: float = 30.0  # from the first byte of a request's head (or the connection's start) to its last
    body_timeout: float = 30.0  # without a byte of a request's body that is being waited for
    send_timeout: float = 60.0  # without the client taking a byte of what waits for it
    linger: float = 2.0  # reading on after an error answer, so that a reset does not overtake it
    half_closed: float = 1.0  # a client that said it will send no more gets its answer within this time, or is gone
    idle_grace: float = 0.5  # while draining: a connection idle for less may have its next request on the way
    connections: int | None = 10_000  # open at once in the process: a file each, 20 to 60 KB with a request in flight
    full_task: Literal["answer", "backlog"] = "answer"  # who finds its task full: is told so, or waits to be accepted
    backlog: int = 1024  # connections that wait to be accepted
    unix_mode: int = 0o660  # of a Unix socket: the owner and the group (a web server in front) may connect

    def __post_init__(self) -> None:
        for name in ("keep_alive", "head_timeout", "body_timeout", "send_timeout", "linger", "half_closed"):
            value = getattr(self, name)
            if not value > 0:
                raise ValueError(f"{name} is {value}: allowed are seconds above 0")
        if self.connections is not None and self.connections < 1:
            raise ValueError(
                f"connections is {self.connections}: allowed are whole numbers from 1, or None for no limit"
            )
        if self.max_body is not None and self.max_body < 0:
            raise ValueError(f"max_body is {self.max_body}: allowed are bytes from 0, or None for no limit")


# A request's head: what aiohttp's parser enforces per line and field, and our ceiling for all of it together.
MAX_LINE = 8190  # Apache's LimitRequestLine, also aiohttp's own default
MAX_FIELDS = 128
MAX_HEAD = 64 * KIB

# Largest body that is collected before the task sees the request; a larger one is streamed to it. The parser's reader
# must never pause within it: it does at twice READ_BUFFER.
COLLECT = 128 * KIB
READ_BUFFER = 64 * KIB
