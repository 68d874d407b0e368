"""Words and handles between two ends."""

from __future__ import annotations

import asyncio
import itertools
import os
import resource
import socket
from collections.abc import Iterator

import pytest

from supervisor.handover.channel import BATCH, Channel, Lost
from supervisor.handover.frames import Message, encode
from supervisor.handover.protocol import Phase, ProtocolError, Side, Word

type Ends = tuple[Channel, Channel]


@pytest.fixture
def ends() -> Iterator[Ends]:
    first, second = socket.socketpair()
    channels = Channel(first, Side.PREDECESSOR), Channel(second, Side.SUCCESSOR)
    yield channels
    for channel in channels:
        channel.close()


async def greeted(ends: Ends) -> None:
    await ends[1].send(Word.HELLO)
    await ends[0].receive()


async def test_handles_arrive_in_order_and_are_not_inheritable(ends: Ends) -> None:
    await greeted(ends)
    files = [os.memfd_create(str(number)) for number in range(BATCH)]
    await ends[0].send(Word.OFFER, {}, files[:1])
    await ends[0].send(Word.HANDLES, {}, files)
    await ends[1].receive()
    await ends[1].receive()
    taken = ends[1].take(1) + ends[1].take(BATCH)
    assert [os.readlink(f"/proc/self/fd/{fd}").split(" ")[0] for fd in taken] == [
        f"/memfd:{number}" for number in (0, *range(BATCH))
    ]
    assert not any(map(os.get_inheritable, taken))
    for fd in taken + files:
        os.close(fd)


async def test_a_message_larger_than_the_sockets_buffer_waits_for_its_reader(ends: Ends) -> None:
    await greeted(ends)
    body = {"text": "x" * 5_000_000}
    handle = os.memfd_create("late")
    sending = asyncio.create_task(ends[0].send(Word.OFFER, body, [handle]))
    await asyncio.sleep(0.01)
    assert not sending.done()
    assert (await ends[1].receive()).body == body
    await sending
    assert len(ends[1].take(1)) == 1
    os.close(handle)


async def test_a_receive_that_is_cancelled_loses_nothing(ends: Ends) -> None:
    data = encode(Message(Word.HELLO, {"a": 1}))
    raw, other = socket.socketpair()
    channel = Channel(other, Side.PREDECESSOR)
    for byte in data[:-1]:
        raw.send(bytes([byte]))
        receiving = asyncio.create_task(channel.receive())
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        receiving.cancel()
        await asyncio.gather(receiving, return_exceptions=True)
    raw.send(data[-1:])
    assert (await channel.receive()).body == {"a": 1}
    raw.close()
    channel.close()


async def test_the_end_of_the_other_side_is_told_to_readers_and_writers(ends: Ends) -> None:
    receiving = asyncio.create_task(ends[0].receive())
    await asyncio.sleep(0)
    ends[1].close()
    with pytest.raises(Lost):
        await receiving
    first, second = socket.socketpair()
    channel = Channel(first, Side.SUCCESSOR)
    second.close()
    with pytest.raises(Lost):
        await channel.send(Word.HELLO)
    channel.close()


async def test_what_was_said_before_the_end_is_heard(ends: Ends) -> None:
    await ends[1].send(Word.HELLO)
    ends[1].close()
    assert (await ends[0].receive()).word is Word.HELLO
    with pytest.raises(Lost):
        await ends[0].receive()


@pytest.mark.parametrize("word", [word for word in Word if word is not Word.HELLO])
async def test_words_out_of_place_are_refused_on_both_sides(ends: Ends, word: Word) -> None:
    for channel in ends:
        with pytest.raises(ProtocolError):
            await channel.send(word)
        assert channel.phase is Phase.STARTING
    raw, other = socket.socketpair()
    raw.sendall(encode(Message(word)))
    channel = Channel(other, Side.PREDECESSOR)
    with pytest.raises(ProtocolError):
        await channel.receive()
    raw.close()
    channel.close()


async def test_handles_that_nobody_took_are_closed(ends: Ends) -> None:
    await greeted(ends)
    before = set(os.listdir("/proc/self/fd"))
    handle = os.memfd_create("x")
    await ends[0].send(Word.OFFER, {}, [handle])
    os.close(handle)
    await ends[1].receive()
    with pytest.raises(ProtocolError, match="2 handles were announced, 1 came"):
        ends[1].take(2)
    ends[1].close()
    assert set(os.listdir("/proc/self/fd")) < before


async def test_handles_over_the_limit_of_open_files_are_an_error(ends: Ends) -> None:
    await greeted(ends)
    handle = os.memfd_create("x")
    await ends[0].send(Word.OFFER, {}, [handle] * BATCH)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = {int(name) for name in os.listdir("/proc/self/fd")}
    free = (number for number in itertools.count() if number not in used)
    resource.setrlimit(resource.RLIMIT_NOFILE, (next(itertools.islice(free, BATCH // 2, None)), hard))
    try:
        with pytest.raises(ProtocolError, match="RLIMIT_NOFILE"):
            await ends[1].receive()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        os.close(handle)
