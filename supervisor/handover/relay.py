"""The end of an old process: signals meant for the host reach it, and the first process's id stays with a host."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn, Self

from supervisor.handover import waiter
from supervisor.handover.environment import relays_signals
from supervisor.handover.handed import Handed

# The loop takes signals from a pipe of its own when it looks for what is ready: it does so once in a turn.
TURNS = 3


class Relay:
    """While entered, after a hand-over, this process passes the signals that it gets to the new host.

    Loop thread, which must be the main one; takes the place of other handlers of these signals, and keeps it. Under
    systemd, which knows the new main process, they are only reported.
    """

    def __init__(
        self, handed: Handed, on_signal: Callable[[str], object] | None = None, environ: Mapping[str, str] | None = None
    ) -> None:
        """`on_signal` hears the name of each stop signal: the second one means to end the drain at once."""
        self._handed = handed
        self._on_signal = on_signal
        self._environ = os.environ if environ is None else environ

    async def __aenter__(self) -> Self:
        for number in waiter.RELAYED:
            asyncio.get_running_loop().add_signal_handler(number, self.pass_on, number)
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Leaves the handlers: there is no moment at which a stop signal may be lost."""

    def pass_on(self, number: int) -> None:
        """As if signal `number` had come."""
        if relays_signals(self._environ):
            self.tell(number)
        if self._on_signal is not None and number in (signal.SIGTERM, signal.SIGINT):
            self._on_signal(signal.Signals(number).name)

    def tell(self, number: int) -> None:
        """Sends the new host signal `number`."""
        if self._handed.hosts is not None:
            self._handed.hosts.relay(number)  # the successor's successors, too
        else:
            self._handed.child.signal(number)

    async def finish(self, before_exec: Callable[[], object] | None = None) -> int:
        """Call it last, when everything is drained and closed. Returns the exit code, or never.

        It does not return where this process's id has to stay: it then is replaced by a small program that waits for
        the host to end (waiter.py). `before_exec` is called right before that: the place to flush the log.
        """
        if self._handed.hosts is None:
            return self._handed.exit_code
        pipe = await self._collect_signals()
        if before_exec is not None:
            before_exec()
        _become_waiter(*pipe, self._handed.hosts)

    async def _collect_signals(self) -> tuple[int, int]:
        """From now on signals are only written to the pipe that is returned; those before are passed on."""
        read_end, write_end = os.pipe()
        os.set_blocking(write_end, False)
        for number in waiter.HEARD:
            signal.signal(number, waiter.heard)
        signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
        for _ in range(TURNS):
            await asyncio.sleep(0)
        return read_end, write_end


def _become_waiter(read_end: int, write_end: int, hosts: waiter.Hosts) -> NoReturn:
    """Blocked signals stay so across exec; another thread that gets one writes it to the pipe. No handler is lost."""
    signal.pthread_sigmask(signal.SIG_BLOCK, waiter.HEARD)
    ends = (read_end, write_end, hosts.announced, hosts.announce)
    for end in ends:
        os.set_inheritable(end, True)  # noqa: FBT003  # takes no keywords
    words = [sys.executable, "-I", "-S", str(Path(waiter.__file__)), *map(str, ends), *map(str, hosts.known)]
    try:
        os.execv(sys.executable, words)
    except OSError:  # an upgrade may have removed our files: then this process waits, large as it is
        os._exit(waiter.wait_for_hosts(read_end, write_end, hosts))
