"""The old process's side of a hand-over: a successor is started, and either takes over or is dead at the end."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from enum import Enum
from typing import Any

from supervisor.errors import HandoverFailed, Refused
from supervisor.handover.announcing import announce, inherited, make_hosts
from supervisor.handover.channel import Channel, Lost
from supervisor.handover.child import Child
from supervisor.handover.environment import becomes_waiter, for_successor
from supervisor.handover.failures import REMEDY, failure
from supervisor.handover.handed import Handed
from supervisor.handover.kernel import adopt_orphans
from supervisor.handover.offer import Offer
from supervisor.handover.offering import GaveUp, commit, offer_until_ready
from supervisor.handover.protocol import Phase, ProtocolError, Side
from supervisor.handover.waiter import Hosts
from supervisor.printable import printable

COMMIT_S = 10.0  # a successor that is ready has nothing else to do
END_S = 2.0  # to go in good order when it is not wanted any more
LAST_WORDS_S = 0.5  # to read what it still said, when its process has ended


class Standing(Enum):
    """What a process may still do."""

    HOST = "host"
    HANDING_OVER = "handing-over"
    GONE = "gone"  # another process is the host


class Predecessor:
    """Hands over at most once, and tries as often as it is asked. Loop thread."""

    def __init__(
        self,
        *,
        tell: Callable[[bytes], object] | None = None,
        stderr: int = 2,
        environ: Mapping[str, str] | None = None,
        starting: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        """`tell` gets the successor's lines until it has taken over; from then on it writes to `stderr` itself.

        `starting` is entered while its process is started, which inherits what our thread has.
        """
        self._stderr = stderr
        self._tell = tell or self._write
        self._environ = os.environ if environ is None else environ
        self._starting = starting
        self._hosts: Hosts | None = None
        self.standing = Standing.HOST
        self.handed: Handed | None = None  # set from COMMITTED on, even if run() was cancelled in that moment

    async def run(
        self,
        command: Sequence[str],
        offer: Offer,
        ready_s: float,
        *,
        last_words: Callable[[], Mapping[str, Any]] = dict,
    ) -> Handed:
        """Returns when the successor that `command` starts is the host: then stop accepting, drain, and go.

        `last_words` is called right before COMMIT: what changed since the offer. HandoverFailed: the successor is
        dead, and this process the host as before. Refused: another hand-over is under way, or done. Cancelled: the
        successor is ended, unless it was just told to take over; then `handed` tells whether it did.
        """
        if self.standing is not Standing.HOST:
            raise Refused("the host is being handed over already", "ask the new process when it answers")
        self.standing = Standing.HANDING_OVER
        try:
            return await self._hand_over(command, offer, ready_s, last_words)
        finally:
            self.standing = Standing.HOST if self.handed is None else Standing.GONE
            if self.handed is None:
                self._adopt_orphans(adopt=False)

    async def _hand_over(
        self, command: Sequence[str], offer: Offer, ready_s: float, last_words: Callable[[], Mapping[str, Any]]
    ) -> Handed:
        child, channel = self._start(command)
        try:
            async with asyncio.timeout(ready_s):
                talk = offer_until_ready(channel, offer, child.pid, self._stderr)
                ready = await _while_alive(child, talk)
            return await self._commit(child, channel, Handed(child, ready, self._hosts), last_words())
        except BaseException as error:
            if self.handed is None:
                await self._end(child, channel)
            if isinstance(error, (Lost, ProtocolError, TimeoutError, GaveUp)):
                child.release()
                raise failure(error, channel.phase, ready_s, child.code, child.lines.last) from error
            raise
        finally:
            channel.close()
            child.release()

    def _start(self, command: Sequence[str]) -> tuple[Child, Channel]:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._adopt_orphans(adopt=True)
            with self._starting():
                child = self._start_child(command, theirs.fileno())
        except (OSError, ValueError, IndexError) as error:  # not there; a NUL in its name; no name
            ours.close()
            why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            name = printable(command[0]) if command else "a program without a name"
            raise HandoverFailed(f"cannot start {name}: {why}", REMEDY) from error
        finally:
            theirs.close()
        return child, Channel(ours, Side.PREDECESSOR)

    def _start_child(self, command: Sequence[str], channel: int) -> Child:
        if self._hosts is None:
            self._hosts = make_hosts(self._environ)
        tell_first = inherited(self._environ) if self._hosts is None else self._hosts.announce
        keep = (channel,) if tell_first is None else (channel, tell_first)
        return Child.start(command, for_successor(self._environ, channel, tell_first), keep, self._tell)

    async def _commit(self, child: Child, channel: Channel, handed: Handed, last_words: Mapping[str, Any]) -> Handed:
        """Sets `handed` if the successor is the host now; being cancelled does not leave that open."""

        async def change() -> None:
            async with asyncio.timeout(COMMIT_S):
                await _while_alive(child, commit(channel, last_words))
            self.handed = handed

        changing = asyncio.create_task(change())
        try:
            await asyncio.shield(changing)
        except asyncio.CancelledError:
            await asyncio.wait((changing,))
            raise
        return handed

    async def _end(self, child: Child, channel: Channel) -> None:
        """Ends the successor: by the end of the conversation, or by force where it would take over then."""
        told = channel.phase in (Phase.COMMITTING, Phase.COMMITTED)
        channel.close()
        ending = asyncio.create_task(child.end(0.0 if told else END_S))
        try:
            await asyncio.shield(ending)
        except asyncio.CancelledError:
            child.signal(signal.SIGKILL)
            await asyncio.wait((ending,))
            raise
        finally:
            self._take_back()
            child.reap()

    def _take_back(self) -> None:
        """The dead successor may have announced itself: signals are for this process again, before its id is free."""
        announce(self._environ)
        if self._hosts is not None:
            self._hosts.refresh()
            self._hosts.known.clear()

    def _adopt_orphans(self, *, adopt: bool) -> None:
        """Makes successors of successors this process's children, if it is to wait for them."""
        if becomes_waiter(self._environ):
            adopt_orphans(adopt=adopt)

    def _write(self, line: bytes) -> None:
        try:
            os.write(self._stderr, line)
        except OSError:
            pass  # nobody reads, nobody can be told


async def _while_alive[T](child: Child, talk: Coroutine[Any, Any, T]) -> T:
    """What `talk` returns; Lost soon after the child has ended, even if its descendants hold the channel open."""
    talking = asyncio.create_task(talk)
    ended = asyncio.create_task(child.wait_end())
    try:
        await asyncio.wait((talking, ended), return_when=asyncio.FIRST_COMPLETED)
        if not talking.done():
            await asyncio.wait((talking,), timeout=LAST_WORDS_S)
        if not talking.done():
            raise Lost
        return talking.result()
    finally:
        talking.cancel()
        ended.cancel()
