"""Hosts that hand over again and again: nobody is refused, signals arrive, and the first process id stays."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from tests.handover.minis import Mini


def waits(mini: Mini) -> bool:
    """Whether the first process is a waiter that hears signals: one that is still being loaded has files open."""
    about = Path(f"/proc/{mini.pid}")
    if b"waiter.py" not in (about / "cmdline").read_bytes():  # looked at first: a host hears signals, too
        return False
    blocked = int((about / "status").read_text().partition("SigBlk:")[2].split()[0], 16)
    return not blocked & 1 << (signal.SIGUSR2 - 1)


def test_ten_hand_overs_under_load_fail_no_connection() -> None:
    with Mini(MINI_HOLD="0.002") as mini:
        ports, answers, failed, over = mini.ports, [], [], threading.Event()

        def load(port: int) -> None:
            while not over.is_set():
                try:
                    answers.append(mini.ask(port))
                except (OSError, ValueError) as error:
                    failed.append(error)

        clients = [threading.Thread(target=load, args=(port,)) for port in ports]
        for client in clients:
            client.start()
        try:
            for generation in range(1, 11):
                os.kill(mini.pid, signal.SIGUSR2)  # of the first: it, and what it becomes, knows who the host is
                mini.wait("host", generation)
                mini.wait("relaying", generation - 1)
        finally:
            over.set()
            for client in clients:
                client.join()
        assert failed == []
        assert set(answers) >= set(range(10))
        assert mini.ask(ports[0]) == 10
        os.kill(mini.pid, signal.SIGTERM)
        assert mini.process.wait(60) == 0
        mini.wait("stopped", 10)


def test_the_first_process_waits_small_and_ends_with_the_hosts_code() -> None:
    with Mini(MINI_EXIT="7") as mini:
        assert mini.ports
        os.kill(mini.pid, signal.SIGUSR2)
        host = mini.wait("host", 1)
        mini.wait("drained")
        while not waits(mini):
            assert mini.process.poll() is None
        assert len(os.listdir(f"/proc/{mini.pid}/fd")) <= 3 + 4  # the standard ones, and two pipes
        assert int(Path(f"/proc/{mini.pid}/statm").read_text().split()[1]) * 4096 < 16 * 2**20
        assert mini.ask(mini.ports[0]) == 1
        os.kill(mini.pid, signal.SIGINT)
        assert mini.process.wait(60) == 7
        assert mini.wait("stopped", 1)["pid"] == host["pid"]


def test_a_host_that_is_killed_ends_the_first_process_too() -> None:
    with Mini() as mini:
        assert mini.ports
        os.kill(mini.pid, signal.SIGUSR2)
        host = mini.wait("host", 1)
        mini.wait("drained")
        os.kill(host["pid"], signal.SIGKILL)
        assert mini.process.wait(60) == 128 + signal.SIGKILL


def test_a_stop_while_the_old_process_drains_stops_the_new_one_too() -> None:
    with Mini(MINI_HOLD="1.5") as mini:
        mini.ask(mini.ports[0])  # is held open for a while: the drain takes that long
        os.kill(mini.pid, signal.SIGUSR2)
        mini.wait("relaying")
        os.kill(mini.pid, signal.SIGTERM)
        mini.wait("stopped", 1)
        assert mini.process.wait(60) == 0


def test_every_signal_sent_while_the_first_process_changes_arrives() -> None:
    """SIGTERM is sent at a different moment around the exec each time; none may end the first process alone."""
    for delay in range(6):
        with Mini() as mini:
            assert mini.ports
            os.kill(mini.pid, signal.SIGUSR2)
            mini.wait("host", 1)
            mini.wait("drained")
            threading.Event().wait(delay * 0.004)
            os.kill(mini.pid, signal.SIGTERM)
            assert mini.process.wait(60) == 0, delay
            mini.wait("stopped", 1)


def test_under_systemd_the_first_process_just_ends() -> None:
    with Mini(NOTIFY_SOCKET="@nobody") as mini:
        assert mini.ports
        os.kill(mini.pid, signal.SIGUSR2)
        host = mini.wait("host", 1)
        assert mini.process.wait(60) == 0
        assert mini.ask(mini.ports[0]) == 1
        os.kill(host["pid"], signal.SIGTERM)
        mini.wait_all_gone()


def test_a_thousand_sockets_are_handed_over() -> None:
    with Mini(MINI_SOCKETS="1000") as mini:
        ports = mini.ports
        os.kill(mini.pid, signal.SIGUSR2)
        assert mini.wait("host", 1)["ports"] == ports
        mini.wait("drained")
        assert {mini.ask(port) for port in ports[::50]} == {1}


def test_a_successor_that_gives_up_leaves_the_host_as_it_was() -> None:
    with Mini(MINI_FAIL="1") as mini:
        ports = mini.ports
        os.kill(mini.pid, signal.SIGUSR2)
        why = mini.wait("handover-failed")["why"]
        assert "it does not want to" in why
        assert "the last line" in why
        assert mini.ask(ports[0]) == 0
        os.kill(mini.pid, signal.SIGTERM)
        assert mini.process.wait(60) == 0


def test_a_second_hand_over_beside_the_first_is_refused() -> None:
    with Mini() as mini:
        assert mini.ports
        os.kill(mini.pid, signal.SIGUSR2)
        mini.wait("started", 1)
        os.kill(mini.pid, signal.SIGUSR2)
        assert "already" in mini.wait("refused")["why"]
        assert mini.wait("committed", 1)["last_words"] == {"from": 0}


SUCCESSORS = ["before hello", "after hello", "before taken", "after taken", "before ready", "after ready",
              "before committed"]  # fmt: skip
PREDECESSORS = ["before offer", "after offer", "before handles", "after handles", "before boot", "after boot",
                "before commit"]  # fmt: skip


@pytest.mark.parametrize("moment", SUCCESSORS)
def test_a_successor_killed_before_it_is_the_host_leaves_the_predecessor(moment: str) -> None:
    with Mini(MINI_KILL=f"1 {moment}") as mini:
        ports = mini.ports
        os.kill(mini.pid, signal.SIGUSR2)
        assert "SIGKILL" in mini.wait("handover-failed")["why"]
        assert [mini.ask(port) for port in ports] == [0, 0]
        os.kill(mini.pid, signal.SIGTERM)
        assert mini.process.wait(60) == 0


def test_signals_go_back_to_a_host_whose_successor_announced_itself_and_died() -> None:
    with Mini(MINI_KILL="2 before committed") as mini:
        assert mini.ports
        os.kill(mini.pid, signal.SIGUSR2)
        mini.wait("host", 1)
        mini.wait("drained")
        os.kill(mini.pid, signal.SIGUSR2)
        mini.wait("handover-failed", 1)
        os.kill(mini.pid, signal.SIGTERM)
        assert mini.process.wait(60) == 0
        mini.wait("stopped", 1)


def test_a_successor_killed_when_it_is_the_host_ends_the_first_process_too() -> None:
    with Mini(MINI_KILL="1 after committed") as mini:
        assert mini.ports
        os.kill(mini.pid, signal.SIGUSR2)
        mini.wait("killed", 1)
        assert mini.process.wait(60) == 128 + signal.SIGKILL


@pytest.mark.parametrize("moment", PREDECESSORS)
def test_a_predecessor_killed_before_commit_takes_its_successor_along(moment: str) -> None:
    with Mini(MINI_KILL=f"0 {moment}") as mini:
        assert mini.ports
        os.kill(mini.pid, signal.SIGUSR2)
        mini.wait("killed")
        mini.wait_all_gone()
        assert "is gone" in mini.wait("lost", 1)["why"]
        assert not [line for line in mini.said if line["said"] == "host" and line["generation"] == 1]


def test_a_predecessor_killed_after_commit_leaves_the_successor() -> None:
    with Mini(MINI_KILL="0 after commit") as mini:
        ports = mini.ports
        os.kill(mini.pid, signal.SIGUSR2)
        host = mini.wait("host", 1)
        mini.wait("killed")
        assert [mini.ask(port) for port in ports] == [1, 1]
        os.kill(host["pid"], signal.SIGTERM)
        mini.wait_all_gone()
