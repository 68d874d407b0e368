"""What is looked at in every answer."""

from __future__ import annotations

import pytest

from supervisor.engine.isolate import Isolate
from supervisor.engine.library import lib
from supervisor.engine.records import Record, encode
from tests.fakes.exchange import FakeExchange
from tests.fakes.listener import FakeListener
from tools.fuzzing.checked import CheckedEngine
from tools.fuzzing.client import faults_of, length_faults_of

SOUND = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX-Empty: \r\n\r\nabc"


def test_a_sound_head_has_no_faults() -> None:
    assert faults_of(SOUND) == []


@pytest.mark.parametrize(
    ("wire", "said"),
    [
        (SOUND.partition(b"\r\n\r\n")[0], "a head without an end"),
        (SOUND.replace(b"200", b"2x0"), "no status line"),
        (SOUND.replace(b"200", b"099"), "no status line"),
        (SOUND.replace(b"X-Empty", b"X Empty"), "no header field"),
        (SOUND.replace(b"OK", b"O\nK"), "no status line"),
        (SOUND.replace(b": 3", b": 3\nA: b"), "no header field"),
        (SOUND.replace(b"X-Empty: ", b"X-Empty: \0"), "no header field"),
    ],
)
def test_a_head_that_may_not_be_is_told(wire: bytes, said: str) -> None:
    (fault,) = faults_of(wire)
    assert fault.startswith(said)


def test_a_length_that_is_not_the_bodys_is_told() -> None:
    assert length_faults_of(SOUND) == []
    assert length_faults_of(SOUND + b"d") == ["4 bytes, and said to be [3]"]
    assert len(length_faults_of(SOUND.replace(b": 3", b": 3\r\nContent-Length: 9"))) == 1
    assert length_faults_of(b"HTTP/1.1 204 No Content\r\n\r\n") == []


WHOLE, HEAD, BODY = lib.ISOLATED_RESPONSE, lib.ISOLATED_RESPONSE_HEAD, lib.ISOLATED_RESPONSE_BODY
END, FAILED, LOG = lib.ISOLATED_RESPONSE_END, lib.ISOLATED_RESPONSE_FAILED, lib.ISOLATED_LOG


def heard(*kinds: int, payload: bytes = b"", isolate: int = 7, twice: bool = False) -> list[str]:
    """What is wrong with records of these kinds, all of one exchange."""
    engine = CheckedEngine()
    engine._isolates[7] = Isolate(7, FakeListener())
    engine._isolates[7].exchanges[1] = FakeExchange()
    engine.twice |= {1} if twice else set()
    for kind in kinds:
        engine._deliver(encode(Record(kind, 0, 1, isolate, 0, payload)))
    return engine.take_wrong()


@pytest.mark.parametrize("kinds", [(WHOLE,), (FAILED,), (HEAD, END), (HEAD, BODY, BODY, END), (HEAD, BODY, FAILED)])
def test_records_in_order_are_fine(kinds: tuple[int, ...]) -> None:
    assert heard(*kinds) == []


@pytest.mark.parametrize("kinds", [(BODY,), (END,), (WHOLE, WHOLE), (HEAD, HEAD), (HEAD, END, BODY), (FAILED, END)])
def test_records_out_of_order_are_told(kinds: tuple[int, ...]) -> None:
    (wrong,) = heard(*kinds)
    assert "in one exchange" in wrong
    assert heard(*kinds, twice=True) == []


def test_records_that_may_not_be_are_told() -> None:
    assert heard(99) == ["a record of kind 99"]
    assert heard(LOG, isolate=8) == [f"a record of kind {LOG} of an isolate that is over"]
    assert "from outside" in heard(LOG, payload=b"> root:x:0:0:root:/root:/bin/bash")[0]


def test_half_a_record_is_told() -> None:
    engine = CheckedEngine()
    engine._look_over(encode(Record(LOG, 0, 1, 7, 0, b"abc"))[:-8])
    assert "records: " in engine.take_wrong()[0]
