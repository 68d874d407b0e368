"""One end of the conversation: messages and handles over a Unix socket, on the loop's thread."""

from __future__ import annotations

import array
import asyncio
import contextlib
import os
import socket
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from supervisor.handover.frames import Decoder, Message, encode
from supervisor.handover.protocol import CONVERSATION, SPEAKERS, Phase, ProtocolError, Side, Word
from supervisor.pool.states import IllegalTransition, Life

BATCH = 200  # handles of one message; the kernel takes at most 253 (SCM_MAX_FD)
PIECE = 2**16  # bytes read at once
_HANDLE = array.array("i").itemsize


class Lost(Exception):
    """The other side is gone."""


class Channel:
    """Says words and hears them, as the table allows. One task at a time may send, and one receive.

    Lost when the other side has gone, ProtocolError for anything out of place. Cancelling receive() loses nothing.
    """

    def __init__(self, sock: socket.socket, side: Side) -> None:
        sock.settimeout(0)
        self._sock = sock
        self._side = side
        self._life = Life(CONVERSATION, Phase.STARTING)
        self._decoder = Decoder()
        self._messages: deque[Message] = deque()
        self._handles: deque[int] = deque()

    @property
    def phase(self) -> Phase:
        """How far the conversation is."""
        return self._life.state

    async def send(self, word: Word, body: Mapping[str, Any] | None = None, handles: Sequence[int] = ()) -> None:
        """Says a word; copies of `handles` (at most BATCH) come with it."""
        data = memoryview(encode(Message(word, body or {})))
        self._go(word, self._side)
        extra = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", handles))] if handles else []
        loop = asyncio.get_running_loop()
        while data:
            try:
                sent = self._sock.sendmsg([data], extra)
            except BlockingIOError:
                await _until(self._sock, loop.add_writer, loop.remove_writer)
            except (BrokenPipeError, ConnectionResetError) as error:
                raise Lost from error
            else:
                data, extra = data[sent:], []

    async def receive(self) -> Message:
        """The next message."""
        loop = asyncio.get_running_loop()
        while not self._messages:
            try:
                self._read()
            except BlockingIOError:
                await _until(self._sock, loop.add_reader, loop.remove_reader)
            except ConnectionResetError as error:
                raise Lost from error
        message = self._messages.popleft()
        self._go(message.word, _other(self._side))
        return message

    def take(self, count: int) -> list[int]:
        """The next `count` handles that came: the caller's from now on."""
        if count > len(self._handles):
            raise ProtocolError(f"{count} handles were announced, {len(self._handles)} came")
        return [self._handles.popleft() for _ in range(count)]

    def close(self) -> None:
        """Goes, with all handles that nobody took. May be called twice."""
        self._sock.close()
        while self._handles:
            os.close(self._handles.popleft())

    def _read(self) -> None:
        space = socket.CMSG_SPACE(BATCH * _HANDLE)
        data, extra, flags, _ = self._sock.recvmsg(PIECE, space, socket.MSG_CMSG_CLOEXEC)
        for level, kind, value in extra:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                found = array.array("i")
                found.frombytes(value[: len(value) - len(value) % _HANDLE])
                self._handles += found
        if flags & socket.MSG_CTRUNC:
            raise ProtocolError("not all handles could be taken: too many open files (RLIMIT_NOFILE)")
        if not data:
            raise Lost
        self._messages += self._decoder.feed(data)

    def _go(self, word: Word, speaker: Side) -> None:
        if SPEAKERS[word] is not speaker:
            raise ProtocolError(f"'{word}' is not for the {speaker.value} to say")
        try:
            self._life.on(word)
        except IllegalTransition as error:
            raise ProtocolError(f"'{word}' has no place when {self.phase.value}") from error


def _other(side: Side) -> Side:
    return Side.SUCCESSOR if side is Side.PREDECESSOR else Side.PREDECESSOR


async def _until(
    sock: socket.socket,
    add: Callable[[socket.socket, Callable[[asyncio.Future[None]], None], asyncio.Future[None]], object],
    remove: Callable[[socket.socket], object],
) -> None:
    ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    add(sock, _set, ready)
    try:
        await ready
    finally:
        with contextlib.suppress(ValueError, OSError):  # closed meanwhile
            remove(sock)


def _set(ready: asyncio.Future[None]) -> None:
    if not ready.done():
        ready.set_result(None)
