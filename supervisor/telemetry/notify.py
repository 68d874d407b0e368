"""Telling systemd how the host is: sd_notify(3), spoken without its library. Without systemd, nothing is told."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from supervisor.printable import printable

SOCKET = "NOTIFY_SOCKET"
_LONGEST_NUMBER = 20  # digits of 2**64 - 1


@dataclass(frozen=True, slots=True)
class NotifyTarget:
    """Where to tell it, and how often systemd wants to hear that the host is alive."""

    address: str | None = None  # None: there is nobody
    watchdog_s: float | None = None  # None: nobody looks

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], pid: int) -> NotifyTarget:
        """What NOTIFY_SOCKET and WATCHDOG_USEC say; a watchdog that is for another process (WATCHDOG_PID) is none.

        Addresses are paths, or `@name` for the abstract namespace; others (vsock, of virtual machines) are nobody's
        here. Nonsense is no watchdog: it is not for the host to fail for it.
        """
        address = environment.get(SOCKET, "")
        if not address.startswith(("/", "@")) or len(address) < 2:
            return cls()
        return cls(address, _watchdog_s(environment, pid))


class Notifier:
    """Sends what it is told to at once, or not at all: never waits and never raises. Any thread.

    Leave NOTIFY_SOCKET in the environment for a successor (NotifyAccess=all lets it speak).
    """

    def __init__(self, target: NotifyTarget) -> None:
        self.target = target
        self._socket: socket.socket | None = None
        if target.address is not None:
            self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
            self._socket.setblocking(False)  # noqa: FBT003 - the standard library's own form

    def close(self) -> None:
        """Nothing is told after this."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def ready(self, status: str, *, main_pid: int | None = None) -> bool:
        """The host serves. `main_pid`: this process is the main one from now on (a successor's word)."""
        fields = {} if main_pid is None else {"MAINPID": str(main_pid)}
        return self.tell({**fields, "READY": "1", "STATUS": status})

    def status(self, text: str) -> bool:
        """One line for `systemctl status`."""
        return self.tell({"STATUS": text})

    def alive(self) -> bool:
        """The watchdog's food."""
        return self.tell({"WATCHDOG": "1"})

    def reloading(self, monotonic_us: int) -> bool:
        """The host hands over and will say ready() again; `monotonic_us`: CLOCK_MONOTONIC now (Type=notify-reload)."""
        return self.tell({"RELOADING": "1", "MONOTONIC_USEC": str(monotonic_us)})

    def stopping(self, status: str) -> bool:
        """The host drains and ends."""
        return self.tell({"STOPPING": "1", "STATUS": status})

    def tell(self, fields: Mapping[str, str]) -> bool:
        """One message of these fields; whether it was taken. Values are made to stay on their line."""
        address = self.target.address
        if self._socket is None or address is None:
            return False
        message = "\n".join(f"{name}={printable(value)}" for name, value in fields.items())
        try:
            self._socket.sendto(message.encode(), _raw(address))
        except OSError, ValueError:  # gone, full, or no such path: systemd's loss, not the tasks'
            return False
        return True


class Watchdog:
    """While entered, tells systemd at half of its interval that the loop turns. Loop thread."""

    def __init__(self, notifier: Notifier, loop: asyncio.AbstractEventLoop) -> None:
        self._notifier = notifier
        self._loop = loop
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._feed()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _feed(self) -> None:
        interval = self._notifier.target.watchdog_s
        if interval is not None:
            self._notifier.alive()
            self._timer = self._loop.call_later(interval / 2, self._feed)


def forget_watchdog(environment: MutableMapping[str, str]) -> None:
    """Takes WATCHDOG_PID away, so that a successor, which has another id, takes the watchdog over."""
    environment.pop("WATCHDOG_PID", None)


def _watchdog_s(environment: Mapping[str, str], pid: int) -> float | None:
    if environment.get("WATCHDOG_PID", str(pid)) != str(pid):
        return None
    text = environment.get("WATCHDOG_USEC", "")
    if len(text) > _LONGEST_NUMBER or not text.isascii() or not text.isdigit() or int(text) == 0:
        return None
    return int(text) / 1e6


def _raw(address: str) -> str:
    return "\0" + address[1:] if address.startswith("@") else address
