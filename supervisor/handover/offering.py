"""The predecessor's words: the offer, batch by batch, until the successor is ready, and the change of hosts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any

from supervisor import __version__
from supervisor.handover.channel import BATCH, Channel, Lost
from supervisor.handover.offer import Offer
from supervisor.handover.protocol import ProtocolError, Word, common_version


class GaveUp(Exception):
    """The successor said that it cannot, and why."""


async def offer_until_ready(channel: Channel, offer: Offer, pid: int, stderr: int) -> Mapping[str, Any]:
    """Hands over copies of everything to process `pid`; returns what it says when it could serve.

    GaveUp, Lost, ProtocolError.
    """
    hello = await _expect(channel, Word.HELLO)
    if hello.get("pid") != pid:
        raise ProtocolError("it runs in another process than the one that was started: a launcher has to exec it")
    version = common_version(versions if isinstance(versions := hello.get("versions"), list) else [])
    counts = {"sockets": len(offer.sockets), "files": len(offer.files)}
    await _offer(channel, {"version": version, "program": __version__, "manifest": offer.manifest, **counts}, stderr)
    for kind, keys, handles in offer.handles(BATCH):
        await _say(channel, Word.HANDLES, {"kind": kind, "keys": keys}, handles)
        await _expect(channel, Word.TAKEN)
    await _say(channel, Word.BOOT)
    return await _expect(channel, Word.READY)


async def commit(channel: Channel, last_words: Mapping[str, Any]) -> None:
    """Makes the successor the host. GaveUp, Lost, ProtocolError: then it is not, once it is dead."""
    await _say(channel, Word.COMMIT, last_words)
    await _expect(channel, Word.COMMITTED)


async def _offer(channel: Channel, body: Mapping[str, Any], stderr: int) -> None:
    """`stderr` goes with it, for when this process does not pass the successor's lines on any more."""
    if _is_open(stderr):
        await _say(channel, Word.OFFER, body, [stderr])
        return
    nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    try:
        await _say(channel, Word.OFFER, body, [nowhere])
    finally:
        os.close(nowhere)


async def _say(
    channel: Channel, word: Word, body: Mapping[str, Any] | None = None, handles: Sequence[int] = ()
) -> None:
    try:
        await channel.send(word, body, handles)
    except Lost:
        await _expect(channel, word)  # raises: what it said before it went, or that it went
        raise


async def _expect(channel: Channel, word: Word) -> Mapping[str, Any]:
    message = await channel.receive()
    if message.word is Word.FAILED:
        raise GaveUp(str(message.body.get("why", "it did not say why")))
    if message.word is not word:
        raise ProtocolError(f"'{message.word}' came instead of '{word}'")
    return message.body


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True
