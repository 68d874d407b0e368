"""SO_PRIORITY: the class of traffic that a connection belongs to."""

from __future__ import annotations

import asyncio
import logging
import socket

log = logging.getLogger(__name__)

_refused: set[int] = set()  # numbers of errors that were told


def set_priority(transport: asyncio.BaseTransport, priority: int) -> None:
    """For all that is sent from now on. Never fails; that it cannot be set is told once.

    Above 6 it takes CAP_NET_ADMIN (socket(7)).
    """
    sock = transport.get_extra_info("socket")
    if sock is None:
        return
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, priority)
    except OSError as error:
        number = error.errno or 0
        if number not in _refused:
            _refused.add(number)
            log.warning("connections cannot be given a priority, so limits.net.egress does not hold: %s", error)
