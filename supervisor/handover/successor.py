"""The new process's side of a hand-over."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import stat
from collections.abc import Coroutine, Iterator, Mapping, MutableMapping
from typing import Any, Self

from supervisor import __version__
from supervisor.errors import IsolatedError
from supervisor.handover.announcing import announce, keep_from_children
from supervisor.handover.channel import Channel, Lost
from supervisor.handover.environment import HANDOVER_FD
from supervisor.handover.frames import Message
from supervisor.handover.offer import Offered
from supervisor.handover.protocol import VERSIONS, ProtocolError, Side, Word, common_version
from supervisor.printable import shown

STDERR = 2


class PredecessorLost(IsolatedError):
    """The process that started this one does not go on with the hand-over: this one has to end, unheard."""


class Successor:
    """offer(), then boot() around whatever takes time, ready(), committed(). Loop thread; each is called once.

    Before committed() returns, nothing may be changed outside this process, and nothing accepted: the predecessor is
    the host. PredecessorLost, from any of them, means to exit.
    """

    def __init__(self, channel: Channel, environ: Mapping[str, str]) -> None:
        self._channel = channel
        self._environ = environ
        self._stderr: int | None = None  # the predecessor's

    @classmethod
    def from_environment(cls, environ: MutableMapping[str, str] = os.environ) -> Self | None:
        """The hand-over that this process was started for; None: it was started by somebody else. Any thread.

        Takes the variable out of the environment, so that no child believes that it is meant.
        """
        text = environ.pop(HANDOVER_FD, None)
        keep_from_children(environ)
        return None if text is None else cls(Channel(_socket(text), Side.SUCCESSOR), environ)

    async def offer(self) -> Offered:
        """Says hello; returns all that the predecessor offers."""
        with _lost():
            hello = {"pid": os.getpid(), "program": __version__, "versions": list(VERSIONS)}
            await self._channel.send(Word.HELLO, hello)
            message = await self._channel.receive()
            common_version([message.body.get("version")])
            (self._stderr,) = self._channel.take(1)
            offered = Offered(_object(message, "manifest"), str(message.body.get("program")))
            while (message := await self._channel.receive()).word is Word.HANDLES:
                self._take(message, offered)
                await self._channel.send(Word.TAKEN)
            return offered

    async def boot[T](self, work: Coroutine[Any, Any, T]) -> T:
        """What `work` returns; it is cancelled, and PredecessorLost raised, if the predecessor goes away meanwhile."""
        working = asyncio.create_task(work)
        listening = asyncio.create_task(self._channel.receive())  # nothing may come before READY was said
        try:
            await asyncio.wait((working, listening), return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                return working.result()
            working.cancel()
            await asyncio.wait((working,))
            with _lost():
                raise ProtocolError(f"'{listening.result().word}' came while it booted")
        finally:
            working.cancel()
            listening.cancel()
            await asyncio.gather(working, listening, return_exceptions=True)

    async def ready(self, info: Mapping[str, Any] | None = None) -> None:
        """Says that this process could serve now."""
        with _lost():
            await self._channel.send(Word.READY, info)

    async def committed(self) -> Mapping[str, Any]:
        """Returns when this process is the host, with the predecessor's last words. Its stderr is its own then.

        Handlers for SIGTERM, SIGINT, SIGHUP and SIGUSR2 have to be there before: the first process may relay any of
        them from that moment on, and their defaults end a process.
        """
        with _lost():
            message = await self._channel.receive()
        if self._stderr is not None:
            os.dup2(self._stderr, STDERR)
        announce(self._environ)  # before the predecessor knows: no signal may go to one that is not the host any more
        with contextlib.suppress(Lost):  # it said what made us the host
            await self._channel.send(Word.COMMITTED)
        self.close()
        return message.body

    async def give_up(self, why: str) -> None:
        """Tells the predecessor that this process cannot take over, and why. Then exit."""
        with contextlib.suppress(Lost, ProtocolError):
            await self._channel.send(Word.FAILED, {"why": why})
        self.close()

    def close(self) -> None:
        """Ends the conversation, if it has not ended. May be called twice."""
        self._channel.close()
        if self._stderr is not None:
            os.close(self._stderr)
            self._stderr = None

    def _take(self, message: Message, offered: Offered) -> None:
        keys = message.body.get("keys")
        if not isinstance(keys, list):
            raise ProtocolError("handles came without keys")
        handles = self._channel.take(len(keys))
        if message.body.get("kind") == "sockets":
            found = [(str(key), socket.socket(fileno=handle)) for key, handle in zip(keys, handles, strict=True)]
            for _, sock in found:
                sock.settimeout(0)
            offered.sockets.extend(found)
        else:
            offered.files.extend(zip(map(str, keys), handles, strict=True))


def _object(message: Message, name: str) -> Mapping[str, Any]:
    found = message.body.get(name)
    if not isinstance(found, dict):
        raise ProtocolError(f"'{message.word}' came without its {name}")
    return found


@contextlib.contextmanager
def _lost() -> Iterator[None]:
    """Says in words for the log what it means for this process that the conversation broke."""
    try:
        yield
    except Lost as error:
        raise PredecessorLost("the process that started this one is gone, before it handed over") from error
    except ProtocolError as error:
        raise PredecessorLost(f"the process that started this one does not fit: {error}") from error


def _socket(text: str) -> socket.socket:
    remedy = f"unset {HANDOVER_FD}: only a process that hands over sets it"
    try:
        number = int(text)
        if not stat.S_ISSOCK(os.fstat(number).st_mode):
            raise ValueError("no socket")
        os.set_inheritable(number, False)  # noqa: FBT003  # takes no keywords
        return socket.socket(fileno=number)
    except (ValueError, OSError, OverflowError) as error:
        raise IsolatedError(f"{HANDOVER_FD} is {shown(text)}, which is not an open socket", remedy) from error
