"""Calls over one connection, with an agent that answers as it likes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from supervisor.cluster.serf import rpc
from supervisor.cluster.serf.codec import encode
from supervisor.cluster.serf.commands import Command
from supervisor.cluster.serf.connection import Answered, Connection, Lost, TimedOut
from supervisor.cluster.serf.options import Rpc
from supervisor.cluster.serf.rotation import Step
from supervisor.cluster.serf.rpc import Ended, News, Said
from supervisor.cluster.values import MemberState
from tests.fakes.agent import FakeAgent, fake_agent

MEMBER = {"Name": "a", "Status": "failed", "Addr": b"", "Port": 1, "Tags": {"x": "1"}}


@pytest_asyncio.fixture
async def agent() -> AsyncIterator[FakeAgent]:
    async with fake_agent() as found:
        yield found


@pytest_asyncio.fixture
async def connection(agent: FakeAgent) -> AsyncIterator[Connection]:
    async with await Connection.open(agent.rpc) as found:
        yield found


async def test_many_calls_are_told_apart_whatever_the_order_of_answers(
    agent: FakeAgent, connection: Connection
) -> None:
    calls = [asyncio.create_task(rpc.join(connection, str(number))) for number in range(50)]
    asked = [await agent.asked.get() for _ in calls]
    for each in reversed(asked):
        each.answer({"Num": int(each.body[b"Existing"][0])})
    assert await asyncio.gather(*calls) == list(range(50))


async def test_a_wrong_token_is_told(agent: FakeAgent) -> None:
    with pytest.raises(Answered, match="Invalid authentication token"):
        await Connection.open(Rpc(agent.rpc.port, "guess"))


async def test_the_agents_errors_are_its_words_and_the_connection_goes_on(
    agent: FakeAgent, connection: Connection
) -> None:
    call = asyncio.create_task(rpc.change_key(connection, Step(Command.INSTALL_KEY, b"k" * 32)))
    (await agent.asked.get()).answer({"NumErr": 1}, error="1/3 nodes reported failure")
    with pytest.raises(Answered, match="1/3 nodes reported failure") as raised:
        await call
    assert raised.value.body == {b"NumErr": 1}
    call2 = asyncio.create_task(rpc.stats(connection))
    (await agent.asked.get()).answer({"agent": {"name": "a"}})
    assert await call2 == {"agent": {"name": "a"}}


async def test_an_answer_that_comes_too_late_is_dropped(agent: FakeAgent, connection: Connection) -> None:
    with pytest.raises(TimedOut, match="members"):
        await connection.call(Command.MEMBERS, timeout_s=0.01)
    (await agent.asked.get()).answer({"Members": [MEMBER]})
    call = asyncio.create_task(rpc.keys(connection))
    (await agent.asked.get()).answer({"Keys": {"k": 3}})
    assert await call == {"k": 3}


async def test_tags_that_were_not_confirmed_in_time_are_no_error(agent: FakeAgent, connection: Connection) -> None:
    call = asyncio.create_task(rpc.set_tags(connection, {"a": "1"}))
    (await agent.asked.get()).answer(error="timeout waiting for update broadcast")
    await call


async def test_news_that_come_in_one_piece_with_the_answer_are_heard(agent: FakeAgent, connection: Connection) -> None:
    heard: list[News | Ended] = []
    call = asyncio.create_task(rpc.stream_members(connection, heard.append))
    asked = await agent.asked.get()
    records = ({"Event": name, "Members": [MEMBER]} for name in ("member-failed", "member-reap"))
    head = {"Seq": asked.seq, "Error": ""}
    first, second = records
    asked.answer(head, first, head, second)
    await call
    await until(lambda: len(heard) == 2)
    assert [(each.reaped, each.members[0].name, each.members[0].state) for each in heard if isinstance(each, News)] == [
        (False, "a", MemberState.FAILED),
        (True, "a", MemberState.FAILED),
    ]


async def test_a_hosts_end_is_heard_and_what_makes_no_sense_is_not(agent: FakeAgent, connection: Connection) -> None:
    heard: list[News | Ended] = []
    call = asyncio.create_task(rpc.stream_members(connection, heard.append))
    asked = await agent.asked.get()
    head = {"Seq": asked.seq, "Error": ""}
    asked.answer()
    await call
    telling = asyncio.create_task(rpc.tell_end(connection, Ended("a", 1234.125)))
    told = await agent.asked.get()
    told.answer()
    await telling
    for payload in (b"", b"a", b"x a", b"\xff \xff", None, 7, told.body[b"Payload"]):
        asked.write(encode(head) + encode({"Event": "user", "Name": told.body[b"Name"], "Payload": payload}))
    await until(lambda: heard)
    assert heard == [Ended("a", 1234.125)]


async def test_a_query_ends_with_the_answers_that_were_wanted(agent: FakeAgent, connection: Connection) -> None:
    call = asyncio.create_task(rpc.query(connection, "q", b"?", wanted=2, wait_s=30))
    asked = await agent.asked.get()
    head = {"Seq": asked.seq, "Error": ""}
    assert (asked.body[b"Timeout"], asked.body[b"RelayFactor"]) == (30 * 10**9, 3)
    answers = [{"Type": "response", "From": name, "Payload": name.encode()} for name in ("a", "a", "b", "c")]
    asked.answer(*(each for answer in answers for each in (head, answer)))
    found = await call
    assert found[:2] == [Said("a", b"a"), Said("b", b"b")]
    asked.write(b"")
    asked.answer({"Type": "done", "From": "", "Payload": None})
    late = asyncio.create_task(rpc.members(connection))
    (await agent.asked.get()).answer({"Members": None})
    assert await late == []
    assert connection.outstanding == 0


async def test_a_query_ends_when_the_agent_says_so_or_when_its_time_is_over(
    agent: FakeAgent, connection: Connection
) -> None:
    call = asyncio.create_task(rpc.query(connection, "q", wait_s=30))
    asked = await agent.asked.get()
    asked.answer({"Seq": asked.seq, "Error": ""}, {"Type": "done", "From": "", "Payload": None})
    assert await call == []
    call = asyncio.create_task(rpc.query(connection, "q", wait_s=0.05))
    (await agent.asked.get()).answer()
    assert await call == []


async def test_a_lost_connection_ends_every_call_and_is_told(agent: FakeAgent, connection: Connection) -> None:
    told = asyncio.Event()
    connection.on_lost(told.set)
    calls = [asyncio.create_task(rpc.members(connection)) for _ in range(3)]
    for _ in calls:
        await agent.asked.get()
    agent.drop()
    results = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(each, Lost) for each in results)
    assert told.is_set()
    with pytest.raises(Lost):
        await rpc.members(connection)


@pytest.mark.parametrize("garbage", [b"\xc1", b"\x07", b"\x82\xa3Seq\x63\xa5Error\xa0"])
async def test_what_is_no_message_ends_the_connection(agent: FakeAgent, connection: Connection, garbage: bytes) -> None:
    call = asyncio.create_task(rpc.members(connection))
    (await agent.asked.get()).write(garbage)
    with pytest.raises(Lost, match="agent"):
        await call


async def test_an_agent_that_is_not_there_is_an_os_error() -> None:
    with pytest.raises(OSError, match="111"):
        await Connection.open(Rpc(1, "t"))


async def until(holds: object) -> None:
    async with asyncio.timeout(60):
        while not holds():  # type: ignore[operator]
            await asyncio.sleep(0.01)
