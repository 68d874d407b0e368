"""What the environment says about hand-overs."""

from __future__ import annotations

import os

import pytest

from supervisor.handover.announcing import announce, inherited, keep_from_children
from supervisor.handover.environment import (
    ANNOUNCE_FD,
    HANDOVER_FD,
    HANDOVERS,
    WATCHDOG_PID,
    becomes_waiter,
    for_successor,
    handovers,
    relays_signals,
)  # fmt: skip


def test_a_successor_counts_the_processes_before_it() -> None:
    first = {"PATH": "/bin", WATCHDOG_PID: "1", "NOTIFY_SOCKET": "/run/n"}
    second = for_successor(first, 7, None)
    assert second == {"PATH": "/bin", "NOTIFY_SOCKET": "/run/n", HANDOVER_FD: "7", HANDOVERS: "1"}
    assert for_successor(second, 9, 8) == {**second, HANDOVER_FD: "9", HANDOVERS: "2", ANNOUNCE_FD: "8"}


@pytest.mark.parametrize("text", ["", "x", "-1", "1.5", "\N{ARABIC-INDIC DIGIT ONE}", "9" * 5000])
def test_a_count_that_is_none_is_zero(text: str) -> None:
    assert handovers({HANDOVERS: text}) == 0


def test_only_the_first_process_that_nobody_tells_of_its_successor_waits() -> None:
    assert becomes_waiter({})
    assert not becomes_waiter({HANDOVERS: "1"})
    assert not becomes_waiter({"NOTIFY_SOCKET": "/run/n"})
    assert relays_signals({HANDOVERS: "1"})
    assert not relays_signals({"NOTIFY_SOCKET": "/run/n"})


def test_announcing_writes_the_process_id() -> None:
    read_end, write_end = os.pipe()
    os.set_inheritable(write_end, True)
    environ = {ANNOUNCE_FD: str(write_end)}
    keep_from_children(environ)
    assert not os.get_inheritable(write_end)
    announce(environ)
    assert int.from_bytes(os.read(read_end, 100)) == os.getpid()
    os.close(read_end)
    announce(environ)  # nobody listens any more
    os.close(write_end)


@pytest.mark.parametrize("text", ["", "x", "-1", "0x1", "99999", "9" * 30])
def test_a_place_to_announce_to_that_is_none_is_ignored(text: str) -> None:
    environ = {ANNOUNCE_FD: text}
    assert inherited(environ) is None
    keep_from_children(environ)
    assert environ == {}
    announce(environ)
