"""Streams that outlive the process at their other end: a hand-over or a restart of the host is bridged."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from supervisor.cli.codes import HostBusy, HostUnreachable

FIRST_DELAY_S = 0.1
LONGEST_DELAY_S = 2.0
PATIENCE_S = 30.0  # a host that restarts answers again within seconds


def following[T](
    connect: Callable[[], Iterator[T]], sleep: Callable[[float], None] = time.sleep, patience_s: float = PATIENCE_S
) -> Iterator[T]:
    """What `connect()` yields, connected again whenever it ends; for ever, or until an error.

    The first connection has to succeed. Later ones may be refused or not come about for `patience_s`.
    """
    delay, waited = FIRST_DELAY_S, 0.0
    began = False
    while True:
        try:
            for item in connect():
                began = True
                delay, waited = FIRST_DELAY_S, 0.0
                yield item
            began = True
        except HostUnreachable, HostBusy:
            if not began or waited >= patience_s:
                raise
        sleep(delay)
        waited += delay
        delay = min(2 * delay, LONGEST_DELAY_S)
