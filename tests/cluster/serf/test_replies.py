"""Which objects are headers, which are bodies, and whose."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.cluster.serf import replies
from supervisor.cluster.serf.codec import Malformed, encode
from supervisor.cluster.serf.commands import Body, Command
from supervisor.cluster.serf.replies import Replies, Reply


def header(seq: int, error: str = "") -> bytes:
    return encode({"Seq": seq, "Error": error})


bodies = st.dictionaries(
    st.sampled_from([b"Members", b"Num", b"Seq", b"Error"]), st.integers(0, 9) | st.binary(max_size=9)
)
calls = st.lists(st.tuples(st.sampled_from(Body), st.sampled_from(["", "no"]), bodies, st.integers(0, 3)), max_size=8)


@given(calls, st.lists(st.integers(1, 30), max_size=60))
def test_answers_come_out_as_they_were_given_whatever_the_pieces(
    made: list[tuple[Body, str, dict[bytes, Any], int]], sizes: list[int]
) -> None:
    """Bodies may look like headers."""
    known, data, expected = Replies(), b"", []
    for seq, (body, error, value, records) in enumerate(made):
        known.expect(seq, body)
        data += header(seq, error)
        if body is Body.ALWAYS or (body is Body.MAYBE and records and value.keys() != {b"Seq", b"Error"}):
            data += encode(value)
        expected.append(Reply(seq, error, value if body is Body.ALWAYS else None))
        if body is Body.LATER and not error:
            data += (header(seq) + encode(value)) * records
            expected += [Reply(seq, "", value)] * records
    found = []
    for size in sizes:
        found += known.feed(data[:size])
        data = data[size:]
    assert found + known.feed(data) == expected
    assert known.outstanding == sum(body is Body.LATER and not error for body, error, _, _ in made)


@given(st.binary(max_size=300))
def test_any_bytes_are_answers_or_malformed(data: bytes) -> None:
    known = Replies()
    for seq in range(128):
        known.expect(seq, list(Body)[seq % len(Body)])
    try:
        known.feed(data)
        known.feed(data)
    except Malformed:
        pass


def test_what_comes_before_the_agent_looks_at_the_command_has_no_body() -> None:
    known = Replies()
    known.expect(1, Command.MEMBERS.body)
    known.expect(2, Command.STATS.body)
    data = header(1, "Authentication required") + header(2) + encode({"agent": {}})
    assert known.feed(data) == [Reply(1, "Authentication required"), Reply(2, "", {b"agent": {}})]


@pytest.mark.parametrize(
    "value", [7, {"Seq": 1}, {"Seq": "1", "Error": ""}, {"Seq": 1, "Error": "", "More": 1}, [], None]
)
def test_what_is_no_header_is_malformed(value: Any) -> None:
    known = Replies()
    known.expect(1, Body.NEVER)
    with pytest.raises(Malformed, match="header"):
        known.feed(encode(value))


def test_an_answer_to_nothing_is_malformed() -> None:
    known = Replies()
    known.expect(1, Body.NEVER)
    assert known.feed(header(1)) == [Reply(1)]
    with pytest.raises(Malformed, match="call 1, which was not made"):
        known.feed(header(1))


def test_an_agent_may_not_owe_answers_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replies, "MOST", 3)
    known = Replies()
    for seq in range(3):
        known.expect(seq, Body.ALWAYS)
    with pytest.raises(Malformed, match="owes 3 answers"):
        known.expect(4, Body.ALWAYS)
    known.finish(1)
    known.expect(4, Body.ALWAYS)
