"""One connection to an agent's RPC: many calls at once, told apart by their numbers."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Mapping
from typing import Any, Self, cast

from supervisor.cluster.serf.codec import Malformed, encode
from supervisor.cluster.serf.commands import VERSION, Command
from supervisor.cluster.serf.errors import AgentError
from supervisor.cluster.serf.options import Rpc
from supervisor.cluster.serf.replies import Replies, Reply

HOST = "127.0.0.1"
DONE = b"done"  # the type of a query's last record
CALL_S = 10.0  # longer than the agent takes for anything that does not wait for other hosts

Record = Callable[[Any], object]  # hears the bodies of a stream's records


class Lost(AgentError):
    """The connection is gone: whether a call that was under way was carried out is not known."""


class TimedOut(AgentError):
    """The agent did not answer in time; the connection goes on."""


class Answered(AgentError):
    """The agent says that it cannot; `words` are its own, `body` is what else it said."""

    def __init__(self, command: Command, words: str, body: Any) -> None:
        super().__init__(f"the agent refuses '{command}': {words}")
        self.words = words
        self.body = body


class Connection(asyncio.Protocol):
    """Loop thread. The agent works on one call after the other: one that takes long delays those behind it."""

    def __init__(self) -> None:
        self._replies = Replies()
        self._numbers = itertools.count(1)
        self._calls: dict[int, asyncio.Future[Reply]] = {}
        self._records: dict[int, Record] = {}
        self._transport: asyncio.Transport | None = None
        self._why = "it was closed"
        self._lost = False
        self._on_lost: Callable[[], object] | None = None

    @classmethod
    async def open(cls, rpc: Rpc) -> Self:
        """A connection that may be used. AgentError; OSError if nobody listens."""
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(cls, HOST, rpc.port)
        try:
            await connection.call(Command.HANDSHAKE, {"Version": VERSION})
            await connection.call(Command.AUTH, {"AuthKey": rpc.token})
        except BaseException:
            connection.close()
            raise
        return connection

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exception: object) -> None:
        self.close()

    @property
    def is_lost(self) -> bool:
        """Whether it cannot be used any more."""
        return self._lost

    @property
    def outstanding(self) -> int:
        """How many answers and streams the agent owes."""
        return self._replies.outstanding

    def on_lost(self, told: Callable[[], object]) -> None:
        """`told` is called when that happens."""
        self._on_lost = told

    async def call(
        self,
        command: Command,
        body: Mapping[str, Any] | None = None,
        timeout_s: float = CALL_S,
        record: Record | None = None,
    ) -> Any:
        """The body of the answer. `record` hears what comes after it, if the command begins a stream.

        Lost, TimedOut, Answered.
        """
        if self._lost or self._transport is None:
            raise Lost(f"the connection to the agent is lost: {self._why}")
        seq = next(self._numbers)
        answer = asyncio.get_running_loop().create_future()
        self._expect(seq, command)
        self._calls[seq] = answer
        if record is not None:
            self._records[seq] = record
        head = encode({"Command": command.value, "Seq": seq})
        self._transport.write(head if body is None else head + encode(body))
        try:
            async with asyncio.timeout(timeout_s):
                reply = await answer
        except TimeoutError:
            raise TimedOut(f"the agent has not answered '{command}' for {timeout_s:.0f} s") from None
        finally:
            self._calls.pop(seq, None)  # the answer is still expected, and dropped when it comes
        if reply.error:
            raise Answered(command, reply.error, reply.body)
        return reply.body

    def finish(self, record: Record) -> None:
        """No more records are told to it; those that still come are dropped."""
        self._records = {seq: each for seq, each in self._records.items() if each is not record}

    def close(self) -> None:
        """May be called twice."""
        if self._transport is not None:
            self._transport.abort()

    # -- asyncio.Protocol ------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by its class

    def data_received(self, data: bytes) -> None:
        """The agent says something."""
        try:
            for reply in self._replies.feed(data):
                self._take(reply)
        except Malformed as error:
            self._why = str(error)
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        """Nobody gets an answer any more."""
        if error is not None:
            self._why = str(error)
        self._lost = True
        for answer in self._calls.values():
            if not answer.done():
                answer.set_exception(Lost(f"the connection to the agent is lost: {self._why}"))
        self._records.clear()
        if self._on_lost is not None:
            self._on_lost()

    def _expect(self, seq: int, command: Command) -> None:
        try:
            self._replies.expect(seq, command.body)
        except Malformed as error:
            self._why = str(error)
            self.close()
            raise Lost(f"the connection to the agent is lost: {error}") from error

    def _take(self, reply: Reply) -> None:
        answer = self._calls.pop(reply.seq, None)  # what comes after it, even in the same piece, is a record
        if answer is not None:
            if not answer.done():
                answer.set_result(reply)
            return
        record = self._records.get(reply.seq)
        if isinstance(reply.body, dict) and reply.body.get(b"Type") == DONE:
            self._replies.finish(reply.seq)
            self._records.pop(reply.seq, None)
        if record is not None:
            record(reply.body)
