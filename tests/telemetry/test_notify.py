"""What systemd hears, on sockets like its own; and that nothing of it can hurt the host."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.telemetry.notify import Notifier, NotifyTarget, Watchdog, forget_watchdog
from tests.fakes.virtual_time import on_virtual_time

PID = 4711


@contextmanager
def listening(address: str) -> Iterator[socket.socket]:
    """systemd's end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)
        ear.setblocking(False)
        yield ear


def heard(ear: socket.socket) -> list[str]:
    """The messages so far."""
    found = []
    while True:
        try:
            found.append(ear.recv(65536).decode())
        except BlockingIOError:
            return found


@contextmanager
def notifier(environment: dict[str, str]) -> Iterator[Notifier]:
    made = Notifier(NotifyTarget.from_environment(environment, PID))
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(params=["path", "abstract"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "path":
        return str(tmp_path / "notify")
    return f"@isolated-test-{os.getpid()}-{tmp_path.name}"


def test_every_word_of_the_host(address: str) -> None:
    with listening(address) as ear, notifier({"NOTIFY_SOCKET": address}) as told:
        assert told.ready("3 tasks")
        assert told.ready("3 tasks", main_pid=99)
        assert told.status("handing over")
        assert told.alive()
        assert told.reloading(123_456)
        assert told.stopping("answering what is under way")
        assert heard(ear) == [
            "READY=1\nSTATUS=3 tasks",
            "MAINPID=99\nREADY=1\nSTATUS=3 tasks",
            "STATUS=handing over",
            "WATCHDOG=1",
            "RELOADING=1\nMONOTONIC_USEC=123456",
            "STOPPING=1\nSTATUS=answering what is under way",
        ]


def test_a_status_cannot_become_another_message(address: str) -> None:
    with listening(address) as ear, notifier({"NOTIFY_SOCKET": address}) as told:
        told.status("task x\nMAINPID=1\nREADY=1\x00")
        (message,) = heard(ear)
        assert message == r"STATUS=task x\nMAINPID=1\nREADY=1\x00"


@pytest.mark.parametrize("target", ["", "/", "@", "relative", "vsock:2:1234", "vsock-stream:2:1"])
def test_without_systemd_nothing_is_told(target: str) -> None:
    with notifier({"NOTIFY_SOCKET": target} if target else {}) as told:
        assert told.target == NotifyTarget()
        assert not told.ready("x")


def test_a_listener_that_is_gone_is_no_error(address: str) -> None:
    with listening(address):
        pass
    with notifier({"NOTIFY_SOCKET": address}) as told:
        assert not told.status("x")


def test_a_listener_that_does_not_read_is_not_waited_for(address: str) -> None:
    with listening(address), notifier({"NOTIFY_SOCKET": address}) as told:
        results = [told.alive() for _ in range(10_000)]
        assert results[0]
        assert not results[-1]


@pytest.mark.parametrize("target", ["/" + "x" * 200, "/a\0b", "@" + "x" * 200])
def test_an_address_that_cannot_be_is_no_error(target: str) -> None:
    with notifier({"NOTIFY_SOCKET": target}) as told:
        assert not told.status("x")


def test_after_the_close_nothing_is_told(address: str) -> None:
    with listening(address) as ear, notifier({"NOTIFY_SOCKET": address}) as told:
        told.close()
        told.close()
        assert not told.status("x")
        assert heard(ear) == []


def test_the_socket_is_not_inherited() -> None:
    with notifier({"NOTIFY_SOCKET": "/x"}) as told:
        assert told._socket is not None
        assert not os.get_inheritable(told._socket.fileno())


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(PID)}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "x"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "-1"}, None),
        ({"WATCHDOG_USEC": "1.5"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "²"}, None),
        ({"WATCHDOG_USEC": "9" * 5000}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_what_systemd_says(environment: dict[str, str], seconds: float | None) -> None:
    target = NotifyTarget.from_environment({"NOTIFY_SOCKET": "/run/x"} | environment, PID)
    assert target.watchdog_s == seconds


@given(st.dictionaries(st.sampled_from(["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"]), st.text()))
def test_no_environment_is_an_error(environment: dict[str, str]) -> None:
    target = NotifyTarget.from_environment(environment, PID)
    assert target.watchdog_s is None or target.watchdog_s > 0


def test_a_successor_takes_the_watchdog_over() -> None:
    environment = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "1000000", "WATCHDOG_PID": "1"}
    assert NotifyTarget.from_environment(environment, PID).watchdog_s is None
    forget_watchdog(environment)
    assert NotifyTarget.from_environment(environment, PID).watchdog_s == 1.0
    forget_watchdog(environment)  # and again


def test_the_watchdog_is_fed_twice_per_interval(address: str) -> None:
    with listening(address) as ear:
        environment = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "2000000"}

        @on_virtual_time
        async def run() -> None:
            with notifier(environment) as told, Watchdog(told, asyncio.get_running_loop()):
                assert heard(ear) == ["WATCHDOG=1"]
                await asyncio.sleep(4.5)
                assert heard(ear) == ["WATCHDOG=1"] * 4
            await asyncio.sleep(5)

        run()
        assert heard(ear) == []


@on_virtual_time
async def test_without_a_watchdog_nothing_is_fed() -> None:
    with notifier({}) as told, Watchdog(told, asyncio.get_running_loop()) as watchdog:
        assert watchdog._timer is None
