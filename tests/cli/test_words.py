"""Figures and streams as pure functions."""

from __future__ import annotations

import math
from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.cli import words
from supervisor.cli.answers import error_of
from supervisor.cli.codes import HostBusy, HostUnreachable
from supervisor.cli.following import LONGEST_DELAY_S, following
from supervisor.cli.sse import Message, messages
from supervisor.errors import IsolatedError


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (words.size(1536), "1.5 KiB"),
        (words.size(0), "0 bytes"),
        (words.size(None), "-"),
        (words.size(True), "-"),
        (words.seconds(0.0123), "12.3 ms"),
        (words.seconds(90), "1.5 min"),
        (words.seconds(math.nan), "-"),
        (words.age(-1), "0s"),
        (words.age(119), "119s"),
        (words.age(120), "2m"),
        (words.age(3 * 3600), "3h"),
        (words.age(2 * 86400), "2d"),
        (words.age("x"), "-"),
        (words.count(12), "12"),
        (words.count(1796071799123), "1796071799123"),  # of an event: it is typed in again
        (words.count(0.7), "0.7"),
        (words.count(None), "-"),
        (words.text("a\x1b[1mb"), r"a\x1b[1mb"),
        (words.text(""), "-"),
        (words.text(True), "yes"),
        (words.moment(0, UTC), "1970-01-01 00:00:00"),
        (words.moment(1e300), "-"),
        (words.clock(1.25, UTC), "01-01 00:00:01.250"),
        (words.clock(None), "-"),
    ],
)
def test_figures(told: str, text: str) -> None:
    assert told == text


@given(st.floats() | st.integers() | st.none() | st.text() | st.booleans() | st.lists(st.integers()))
def test_whatever_the_host_says_is_told(value: object) -> None:
    for tell in (words.text, words.size, words.seconds, words.age, words.count, words.moment, words.clock):
        assert tell(value)
        assert "\n" not in tell(value)


LINE = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]))


@given(st.lists(st.tuples(st.integers(0, 10**6), st.lists(LINE, min_size=1))))
def test_events_come_out_as_they_went_in(events: list[tuple[int, list[str]]]) -> None:
    lines: list[bytes] = []
    for number, data in events:
        lines += [b": keep-alive", b"", b"id: %d" % number, b"event: state"]
        lines += [b"data: " + line.encode() for line in data]
        lines.append(b"")
    assert list(messages(lines)) == [Message("\n".join(data), str(number)) for number, data in events]


@given(st.lists(st.binary()))
def test_no_stream_is_too_odd(lines: list[bytes]) -> None:
    for message in messages(lines):
        assert isinstance(message.data, str)


def test_what_is_incomplete_at_the_end_is_no_event() -> None:
    assert list(messages([b"data: a", b"", b"data: b"])) == [Message("a", None)]
    assert list(messages([b"id: 1\x00", b"data:x", b""])) == [Message("x", None)]


@given(st.integers(300, 599), st.text(), st.text(), st.none() | st.text())
def test_every_answer_becomes_an_error(status: int, mime: str, body: str, retry: str | None) -> None:
    assert isinstance(error_of(status, mime, body, retry), IsolatedError)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
FIELDS = st.sampled_from(["title", "detail", "kind", "remedy", "problems", "file", "line", "column", "stack"])


@given(st.integers(300, 599), st.dictionaries(FIELDS, JSON | st.just("boot") | st.just("unknown")))
def test_every_problem_becomes_an_error(status: int, problem: dict[str, object]) -> None:
    import json

    error = error_of(status, "application/problem+json", json.dumps(problem), None)
    assert isinstance(error, IsolatedError)
    assert error.exit_code in range(1, 7)
    assert "\x1b" not in str(error)


# -- following --------------------------------------------------------------------------------------------------------


class Host:
    """A source that ends and fails as a test says; keeps the sleeps in between."""

    def __init__(self, *connections: list[int] | IsolatedError) -> None:
        self.connections = list(connections)
        self.slept: list[float] = []

    def connect(self):  # type: ignore[no-untyped-def]
        found = self.connections.pop(0) if self.connections else HostUnreachable("gone")
        if isinstance(found, IsolatedError):
            raise found
        yield from found

    def seen(self, patience_s: float = 5.0) -> tuple[list[int], IsolatedError]:
        items: list[int] = []
        with pytest.raises(IsolatedError) as caught:  # noqa: PT012
            for item in following(self.connect, self.slept.append, patience_s):
                items.append(item)  # noqa: PERF402  # what was seen before the error counts
        return items, caught.value


def test_the_first_connection_has_to_succeed() -> None:
    host = Host()
    items, error = host.seen()
    assert (items, host.slept) == ([], [])
    assert isinstance(error, HostUnreachable)


def test_a_restart_is_bridged() -> None:
    host = Host([1, 2], HostUnreachable("away"), HostBusy("drains"), [3], [])
    items, _ = host.seen()
    assert items == [1, 2, 3]


def test_patience_ends_and_delays_grow() -> None:
    host = Host([1])
    host.seen(patience_s=20)
    assert sum(host.slept) >= 20
    assert sum(host.slept) < 20 + LONGEST_DELAY_S
    assert host.slept == sorted(host.slept)


def test_other_errors_end_it() -> None:
    host = Host([1], IsolatedError("no"), [2])
    items, error = host.seen()
    assert items == [1]
    assert error.message == "no"
