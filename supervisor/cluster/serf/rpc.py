"""What an agent can be asked over its RPC, by name. Every call may raise AgentError."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from supervisor.cluster.serf.codec import number, text, texts
from supervisor.cluster.serf.commands import NS, Command
from supervisor.cluster.serf.connection import Answered, Connection, TimedOut
from supervisor.cluster.serf.rotation import Step, encoded
from supervisor.cluster.serf.seen import Seen, members_of

JOIN_S = 30.0  # the agent gives up on an address after 10 s; a name may stand for several
LEAVE_S = 20.0  # twice Serf's propagation and broadcast times of 5 s
KEY_S = 60.0  # a query among all members, twice as long as Serf's own time-out with 1,000 of them
TAGS_S = 15.0
# The word for: it was not sent often enough in 5 s to be sure. It goes on being sent.
_END = "isolated-host-ended"
_UNSURE = "timeout waiting for update broadcast"


@dataclass(frozen=True, slots=True)
class Said:
    """One answer to a query."""

    name: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class News:
    """Members that changed; `reaped`: Serf forgets them."""

    members: tuple[Seen, ...]
    reaped: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """A host that will not come back, as an operator says, with the boot time of the machine that is meant."""

    name: str
    boot_time: float


async def members(connection: Connection, status: str | None = None) -> list[Seen]:
    """All members, or those of one of Serf's states."""
    if status is None:
        return members_of(await connection.call(Command.MEMBERS))
    return members_of(await connection.call(Command.MEMBERS_FILTERED, {"Tags": {}, "Status": status, "Name": ""}))


async def join(connection: Connection, address: str) -> int:
    """How many hosts answered there; events of before are not told again."""
    body = await connection.call(Command.JOIN, {"Existing": [address], "Replay": False}, JOIN_S)
    return number(body.get(b"Num")) if isinstance(body, dict) else 0


async def leave(connection: Connection) -> None:
    """Says goodbye; the agent ends afterwards."""
    await connection.call(Command.LEAVE, timeout_s=LEAVE_S)


async def force_leave(connection: Connection, name: str) -> None:
    """Makes a failed member one that left; nothing happens if there is no such member."""
    await connection.call(Command.FORCE_LEAVE, {"Node": name}, TAGS_S)


async def tell_end(connection: Connection, ended: Ended) -> None:
    """Tells all members that are there. Who is away, or whose agent is started anew, does not hear of it: agents join
    without the events of before, and a stream begins after that."""
    payload = f"{ended.boot_time!r} {ended.name}".encode()
    await connection.call(Command.EVENT, {"Name": _END, "Payload": payload, "Coalesce": False}, TAGS_S)


async def set_tags(connection: Connection, tags: Mapping[str, str]) -> None:
    """Publishes tags. Under load the agent is slow to confirm what the others know already: that is no error."""
    try:
        await connection.call(Command.TAGS, {"Tags": dict(tags), "DeleteTags": []}, TAGS_S)
    except Answered as error:
        if _UNSURE not in error.words:
            raise
    except TimedOut:
        pass


async def change_key(connection: Connection, step: Step) -> None:
    """Does it on all members. Answered: not all confirmed it."""
    await connection.call(step.command, {"Key": encoded(step.key)}, KEY_S)


async def keys(connection: Connection) -> dict[str, int]:
    """On how many members each key, in base64, is installed."""
    body = await connection.call(Command.LIST_KEYS, timeout_s=KEY_S)
    found = body.get(b"Keys") if isinstance(body, dict) else None
    return {text(key): number(count) for key, count in found.items()} if isinstance(found, dict) else {}


async def stats(connection: Connection) -> dict[str, dict[str, str]]:
    """Figures of the agent, as texts, by group."""
    body = await connection.call(Command.STATS)
    return {text(name): texts(group) for name, group in body.items()} if isinstance(body, dict) else {}


async def stream_members(connection: Connection, heard: Callable[[News | Ended], object]) -> None:
    """From now on `heard` gets every change of members, until the connection is lost. Serf merges 1 to 3 s of them."""

    def record(body: Any) -> None:
        event = text(body.get(b"Event")) if isinstance(body, dict) else ""
        if event != "user":
            heard(News(tuple(members_of(body)), reaped=event == "member-reap"))
        elif (ended := _ended(body.get(b"Payload"))) is not None:
            heard(ended)

    kinds = f"member-join,member-leave,member-failed,member-update,member-reap,user:{_END}"
    await connection.call(Command.STREAM, {"Type": kinds}, record=record)


def _ended(payload: object) -> Ended | None:
    words = text(payload).split(" ")
    try:
        boot_time, name = float(words[0]), words[1]
    except ValueError, IndexError:
        return None
    return Ended(name, boot_time)


async def query(
    connection: Connection,
    name: str,
    payload: bytes = b"",
    *,
    wanted: int | None = None,
    wait_s: float = 5.0,
    relays: int = 3,
) -> list[Said]:
    """What members say to it: returns with `wanted` answers, or with what came in `wait_s`.

    Answers are counted because the agent says that a query is over only when its time is. With 20 % of packets lost 19
    of 30 members were heard without relays, and all of them with 3.
    """
    said: dict[str, Said] = {}
    enough = asyncio.Event()

    def record(body: Any) -> None:
        kind = text(body.get(b"Type")) if isinstance(body, dict) else ""
        if kind == "response":
            answer = Said(text(body.get(b"From")), bytes(body.get(b"Payload") or b""))
            said.setdefault(answer.name, answer)  # with relays it may come more than once
        if kind == "done" or (wanted is not None and len(said) >= wanted):
            enough.set()

    body = {
        "FilterNodes": [], "FilterTags": {}, "RequestAck": False, "RelayFactor": relays,
        "Timeout": int(wait_s * NS), "Name": name, "Payload": payload,
    }  # fmt: skip
    await connection.call(Command.QUERY, body, record=record)
    try:
        async with asyncio.timeout(wait_s):
            await enough.wait()
    except TimeoutError:
        pass
    finally:
        connection.finish(record)
    return list(said.values())


async def respond(connection: Connection, number_of_query: int, payload: bytes) -> None:
    """Answers a query that this connection was told of."""
    await connection.call(Command.RESPOND, {"ID": number_of_query, "Payload": payload})


async def ask_for_queries(connection: Connection, name: str, heard: Callable[[int, bytes], object]) -> None:
    """From now on `heard` gets number and payload of each query called `name`."""

    def record(body: Any) -> None:
        if isinstance(body, dict):
            heard(number(body.get(b"ID")), bytes(body.get(b"Payload") or b""))

    await connection.call(Command.STREAM, {"Type": f"query:{name}"}, record=record)
