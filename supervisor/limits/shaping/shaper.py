"""The shaper: a thread that speaks to the kernel for the loop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import TYPE_CHECKING, Self

from supervisor.limits.shaping.book import Book
from supervisor.limits.shaping.netlink import has_root, probe_htb, socket_priorities
from supervisor.limits.shaping.presence import Presence
from supervisor.limits.shaping.roots import LINKS, Roots
from supervisor.limits.shaping.values import EgressUsage, Held, ShapingOptions
from supervisor.spec.enforcement import EGRESS, Enforcement
from supervisor.spec.listen import ListenAddress

if TYPE_CHECKING:
    from supervisor.limits.shaping.kernel import Kernel

# While freed classes wait for their last sockets, and while another process is here.
SWEEP_EVERY_S = 5.0
# Interfaces that come up later, and what somebody deleted by hand; figures for metrics are as old as this.
LOOK_EVERY_S = 10.0
# Tasks are removed in crowds when a host changes: one sweep is good for all of so long.
CROWD_S = 0.1
UNIX_PROBLEM = "what is sent through a Unix socket passes no interface"
UNIX_REMEDY = "listen on 127.0.0.1 in its place, or limit the traffic in the proxy that uses the socket"

_REFUSALS = {
    errno.EPERM: (
        "this process has no CAP_NET_ADMIN",
        "start the daemon as root, or give it the capability CAP_NET_ADMIN",
    ),
    errno.ENOENT: ("this kernel has no HTB (sch_htb)", "`modprobe sch_htb`, or take a kernel with CONFIG_NET_SCH_HTB"),
}


class Shaper:
    """Async context, loop thread. Where the machine does not allow shaping nothing fails: enforcements() says so."""

    def __init__(self, options: ShapingOptions | None = None, probe: Callable[[int], int] = probe_htb) -> None:
        """`probe` is asked whether an interface could have a root of HTB: 0 or an errno."""
        self._options = options or ShapingOptions()
        self._probe = probe
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="shaper")
        self._kernel: Kernel | None = None
        self._book: Book | None = None
        self._problem: tuple[str, str] | None = None
        self._sweeping: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._labels: dict[str, bool] = {}  # held ones: whether each listens on a Unix socket as well
        self.on_change: Callable[[str, Held], object] = _nothing  # a label is held as that now, since the last look
        self.figures: Mapping[str, EgressUsage] = MappingProxyType({})  # of LOOK_EVERY_S ago at most

    async def __aenter__(self) -> Self:
        """Finds out what the machine allows, and clears what a killed process left."""
        self._problem = await self._run(self._open)
        self._begin()
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Takes all classes away. The sockets should be closed by now."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sweeping
        try:
            await self._run(self._close)
        finally:
            self._thread.shutdown(wait=False)

    async def hold(self, label: str, bits_per_s: int, listen: Iterable[ListenAddress] = ()) -> Held:
        """Limits what a task sends from its addresses. Its sockets need `priority`, from their first byte on.

        The same label again changes its limit and its addresses, and its priority stays. Never fails: see
        Held.enforcement.
        """
        listen = tuple(listen)
        if self._problem is not None:
            return Held(0, (), self.enforcements()[0])
        self._labels[label] = any(each.kind == "unix" for each in listen)
        addresses = {text for each in listen if each.kind == "tcp" for text in await _resolved(each.host)}
        try:
            held = await self._run(lambda: self._needed().hold(label, bits_per_s, addresses))
        except OSError as error:
            words = f"the kernel refuses to shape: {error.strerror}"
            return Held(0, (), Enforcement(EGRESS, None, words, "see `tc qdisc show` and the kernel's log"))
        self._begin()
        if len(self._labels) == 1:  # until now there was nothing to look at
            self._wake.set()
        return _in_all(held, unix=self._labels[label])

    async def change(self, label: str, bits_per_s: int) -> None:
        """Another limit, on open connections too; nothing if the label is not held."""
        if self._book is not None and label in self._labels:
            await self._run(functools.partial(self._book.change, label, bits_per_s))

    async def free(self, label: str) -> None:
        """The label is not used any more; what still has its priority stays limited until its sockets are closed."""
        if self._book is not None and label in self._labels:
            del self._labels[label]
            await self._run(functools.partial(self._book.free, label))
            self._wake.set()

    async def usage(self) -> Mapping[str, EgressUsage]:
        """What each held label has sent since it was held, by the kernel's count of now."""
        if self._book is not None and self._labels:
            self.figures = MappingProxyType(await self._run(self._book.usage))
        return self.figures

    def enforcements(self) -> tuple[Enforcement]:
        """Whether and how limits.net.egress is held on this host."""
        if self._problem is not None:
            return (Enforcement(EGRESS, None, *self._problem),)
        names = self._options.interfaces
        where = "the interfaces that carry a task's traffic" if names is None else ", ".join(names)
        return (Enforcement(EGRESS, f"HTB classes on {where}, by SO_PRIORITY"),)

    # -- on the thread ---------------------------------------------------------------------------------------------

    def _open(self) -> tuple[str, str] | None:
        """Problem and remedy, if there is one."""
        names = self._options.interfaces
        if names == ():
            return "`shapeInterfaces` names none", "leave `shapeInterfaces` out, or name interfaces in it"
        try:
            there = {name: index for index, name in socket.if_nameindex()}
            if unknown := [name for name in names or () if name not in there]:
                words = f"`shapeInterfaces` names {', '.join(unknown)}, not of this machine"
                return words, LINKS
            number = self._probe(there.get("lo") or min(there.values()))
            if number in _REFUSALS:
                return _REFUSALS[number]
            if has_root():
                self._needed()
        except OSError as error:
            return f"the kernel's traffic control does not answer: {error.strerror}", "allow netlink sockets"
        return None

    def _needed(self) -> Book:
        """From now on there is something to look after. OSError."""
        if self._book is None:
            # Only now: pyroute2 takes 0.3 s to import and 11 MiB, and most hosts limit nobody.
            from supervisor.limits.shaping.kernel import Kernel

            self._kernel = Kernel()
            self._book = Book(self._kernel, Roots(self._kernel, self._options), Presence(), socket_priorities)
        return self._book

    def _close(self) -> None:
        if self._book is not None:
            self._book.close()
        if self._kernel is not None:
            self._kernel.close()

    async def _run[T](self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _begin(self) -> None:
        if self._sweeping is None and self._book is not None:
            self._sweeping = asyncio.create_task(self._sweep(self._book))

    async def _sweep(self, book: Book) -> None:
        looked = time.monotonic()
        while True:
            await asyncio.sleep(CROWD_S)
            self._wake.clear()
            waits = await self._attempt(book.sweep, otherwise=True)
            if time.monotonic() - looked >= LOOK_EVERY_S and self._labels:
                seen = await self._attempt(book.refresh, otherwise=dict[str, Held]())
                for label, held in seen.items():
                    if label in self._labels:  # it may have been freed meanwhile
                        self.on_change(label, _in_all(held, unix=self._labels[label]))
                self.figures = MappingProxyType(await self._attempt(book.usage, otherwise={}))
                looked = time.monotonic()
            pause_s = SWEEP_EVERY_S if waits else LOOK_EVERY_S if self._labels else None
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()

    async def _attempt[T](self, work: Callable[[], T], *, otherwise: T) -> T:
        """The kernel may be out of memory or an interface may go in between: the next round tries again."""
        try:
            return await self._run(work)
        except OSError:
            return otherwise


def _nothing(_label: str, _held: Held) -> None:
    """Nobody wants to know."""


def _in_all(held: Held, *, unix: bool) -> Held:
    """How a limit is held by classes and, if the task has a Unix socket, there."""
    if held.enforcement.how is None or not unix:
        return held
    return Held(held.priority, held.interfaces, Enforcement(EGRESS, None, UNIX_PROBLEM, UNIX_REMEDY))


async def _resolved(host: str) -> set[str]:
    """The addresses of a host name or address; none if it has none, which listening tells better."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return set()
    return {str(each[4][0]) for each in found}
