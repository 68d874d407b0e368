"""The agent's words: lines that cannot forge others, not too many, and what they mean."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.cluster.serf.loglines import BURST, LONGEST, PER_S, Line, Lines, Rate
from supervisor.cluster.serf.problems import SHOWN, explain
from supervisor.cluster.serf.retry import Retry
from supervisor.printable import printable


def test_lines_have_the_agents_level() -> None:
    lines = Lines()
    data = b"==> Starting\n    2026/11/30 10:00:00 [WARN] memberlist: slow\n2026/11/30 10:00:00 [ERR] agent: no\n"
    data += b"\n[INFO] x\nrest"
    assert list(lines.feed(data)) == [
        Line("debug", "Starting"),
        Line("warning", "memberlist: slow"),
        Line("error", "agent: no"),
        Line("info", "x"),
    ]
    assert list(lines.feed(b" of it\n")) == [Line("debug", "rest of it")]


def test_what_the_host_tells_itself_and_what_nobody_can_read_is_no_news() -> None:
    refused = b"127.0.0.1:29999: dial tcp 127.0.0.1:29999: connect: connection refused"
    data = b"    2026/12/01 10:00:00 [WARN] agent: error joining: 2 errors occurred:\n"
    data += b"\t* Failed to join " + refused + b"\n\t* Failed to join " + refused + b"\n\n"
    data += b"    2026/12/01 10:00:00 [WARN] memberlist: Refuting an alive message for 'h1' (10.0.0.1:7946) "
    data += b"meta:([255 130 161 120] VS [255 129 161 120 161 51]), vsn:([1 5 2 2 5 5] VS [1 5 2 2 5 5])\n"
    assert list(Lines().feed(data)) == [
        Line("debug", "agent: error joining: 2 errors occurred:"),
        Line("debug", f"\\t* Failed to join {refused.decode()}"),
        Line("debug", f"\\t* Failed to join {refused.decode()}"),
        Line("warning", "memberlist: Refuting an alive message for 'h1' (10.0.0.1:7946)"),
    ]


@given(st.lists(st.binary(max_size=60)), st.integers(0, 3))
def test_no_line_can_forge_another(pieces: list[bytes], more: int) -> None:
    lines = Lines()
    for piece in [*pieces, b"x" * LONGEST * more, b"\n"]:
        for line in lines.feed(piece):
            assert printable(line.text) == line.text
            assert len(line.text) <= LONGEST


def test_a_flood_is_dropped_and_counted() -> None:
    rate = Rate(100.0)
    told = sum(rate.admits(100.0) for _ in range(1000))
    assert told == BURST
    assert rate.admits(101.0)
    assert rate.take_dropped() == 1000 - BURST
    assert rate.take_dropped() == 0
    assert sum(rate.admits(101.0) for _ in range(100)) == PER_S - 1


@pytest.mark.parametrize(
    ("words", "message", "remedy"),
    [
        (
            'Failed to start TCP listener on "10.0.0.1" port 7946: listen tcp: bind: address already in use',
            "port 7946 of the cluster address is in use",
            "ss -lntup",
        ),
        ("listen tcp 10.9.9.9:7946: bind: cannot assign requested address", "does not have", "ip address"),
        (
            "1 error occurred:\n\t* Failed to join 10.0.0.1:7946: No installed keys could decrypt the message\n",
            "10.0.0.1:7946 has another cluster key",
            "clusterKeyFile",
        ),
        (
            "1 error occurred:\n\t* Failed to join 10.0.0.9:7946: dial tcp 10.0.0.9:7946: connect: connection refused",
            "nobody answers at 10.0.0.9:7946",
            "tried again",
        ),
        (
            "* Failed to join 10.0.0.9:7946: dial tcp 10.0.0.9:7946: i/o timeout",
            "10.0.0.9:7946 cannot be reached",
            "UDP",
        ),
        ("Failed to resolve seed.invalid:7946: lookup seed.invalid", "name of seed.invalid:7946", "clusterJoin"),
        ("[WARN] serf: minority in name conflict resolution, quitting [1 / 3]", "has this host's id", "hostId"),
    ],
)
def test_what_an_operator_can_do_something_about_is_explained(words: str, message: str, remedy: str) -> None:
    explained = explain(words)
    assert message in explained[0]
    assert explained[1] is not None
    assert remedy in explained[1]


@given(st.text(max_size=600))
def test_other_words_are_shown_on_one_line(words: str) -> None:
    message, _ = explain(words)
    assert message
    assert printable(message) == message
    assert len(message) <= SHOWN + 60


@given(st.integers(1, 2000), st.integers(0, 99))
def test_pauses_grow_to_the_longest(failures: int, seed: int) -> None:
    retry = Retry(first_s=1.0, longest_s=30.0)
    pause = retry.pause_s(failures, Random(seed))
    expected = min(30.0, 2.0 ** (failures - 1) if failures < 9 else 30.0)
    assert 0.75 * expected <= pause <= expected
