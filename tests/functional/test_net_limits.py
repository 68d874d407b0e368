"""limits.net.ingress and limits.net.connections of a real daemon, measured by its clients."""

from __future__ import annotations

import http.client
import math
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytest

from tests.functional.running import PATIENCE_S, handler, write_task
from tests.functional.serving import Serving

MB = 1_000_000
TAKE = handler(
    "let size = 0; for await (const piece of request.body) size += piece.length;"
    "return new Response(`${size} ${globalThis.n = (globalThis.n ?? 0) + 1}`);"
)
PIECE = bytes(50_000)
TRIES = 8


class Upload(threading.Thread):
    """Sends without an end until it is told to stop; knows how fast it goes."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.sent = 0
        self.text = ""
        self._over = threading.Event()
        self._sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        # What waits in the kernels of both sides must not be taken for what was received.
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)

    def __enter__(self) -> Self:
        self._sock.sendall(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self._sock.close()

    def run(self) -> None:
        while not self._over.is_set():
            self._sock.sendall(b"%x\r\n%b\r\n" % (len(PIECE), PIECE))
            self.sent += len(PIECE)
        self._sock.sendall(b"0\r\n\r\n")

    def end(self) -> None:
        """Ends the body; the thread is over when all is sent."""
        if not self._over.is_set():
            self._over.set()
            self.join(PATIENCE_S)

    def answer(self) -> str:
        """The answer's body."""
        self.end()
        response = http.client.HTTPResponse(self._sock)
        response.begin()
        return response.read().decode()


class Neighbour(threading.Thread):
    """Uploads one body after the other, as fast as it goes."""

    BODY = bytes(20 * MB)

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.sent = 0
        self._over = threading.Event()
        self._port = port

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join(PATIENCE_S)

    def run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE_S)
        while not self._over.is_set():
            connection.request("POST", "/", self.BODY)
            assert connection.getresponse().read().startswith(b"20000000 ")
            self.sent += len(self.BODY)
        connection.close()


def mbit_per_s(received: Callable[[], int], seconds: float, low: float, high: float = math.inf) -> float:
    """How fast it goes in the next seconds: never faster than `high`, and as fast as `low` as soon as the machine lets
    it. Both are measured so that a look that comes late decides nothing."""
    for _ in range(TRIES):
        before_look = time.monotonic()
        before, began = received(), time.monotonic()
        time.sleep(seconds)
        ended = time.monotonic()
        bits = (received() - before) * 8 / MB
        least, most = bits / (time.monotonic() - before_look), bits / (ended - began)
        assert least < high, f"{least:.2f} Mbit/s"
        if most > low:
            return most
    raise AssertionError(f"{most:.2f} Mbit/s at most")


@pytest.fixture
def apply(tmp_path: Path) -> Callable[..., Any]:
    """Applies a task with limits.net."""

    def do(host: Serving, name: str, **net: object) -> Any:
        # An upload goes on for as long as a slow machine needs to measure it.
        folder = write_task(
            tmp_path / name, TAKE, name=name, limits={"net": net, "cpu": {"request": None, "wall": None}}
        )
        return host.json("apply", folder, "--no-bundle")

    return do


def test_an_upload_keeps_to_its_rate_beside_a_neighbour_at_full_speed_and_to_another_at_once(
    tmp_path: Path, apply: Callable[..., Any]
) -> None:
    with Serving(tmp_path / "host") as host:
        apply(host, "shop", ingress="8mbit")
        apply(host, "free")

        def received() -> int:
            return int(host.task("shop")["net"]["received"])

        with Upload(host.port("shop")) as upload, Neighbour(host.port("free")) as neighbour:
            time.sleep(1)  # the burst, and what fills the buffers between
            mbit_per_s(lambda: upload.sent, 4, 6.5, 9.5)
            mbit_per_s(received, 2, 5.0, 11.0)
            mbit_per_s(lambda: neighbour.sent, 4, 20)
            changed = apply(host, "shop", ingress="16mbit")
            assert (changed["fields"], changed["restarts"]) == (["limits.net.ingress"], False)
            time.sleep(0.5)
            mbit_per_s(lambda: upload.sent, 4, 13.0, 19.0)
            apply(host, "shop", ingress="200mbit")
            mbit_per_s(lambda: upload.sent, 1, 20)
            assert upload.answer() == f"{upload.sent} 1", "the same isolate all the time, and every byte"
        seen = host.task("shop")["net"]
        assert seen["received"] > upload.sent
        assert seen["pausedS"] > 1
        assert host.task("free")["net"]["pausedS"] == 0


def test_connections_beyond_the_limit_are_told_and_counted_and_a_change_holds_at_once(
    tmp_path: Path, apply: Callable[..., Any]
) -> None:
    def ask(connection: http.client.HTTPConnection) -> http.client.HTTPResponse:
        connection.request("POST", "/", b"x")
        return connection.getresponse()

    with Serving(tmp_path / "host") as host:
        apply(host, "shop", connections=2)
        connections = [http.client.HTTPConnection("127.0.0.1", host.port("shop"), timeout=PATIENCE_S) for _ in range(3)]
        for connection in connections[:2]:
            assert ask(connection).read().startswith(b"1 ")
        refused = ask(connections[2])
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert b'"connections-full"' in refused.read()
        seen = host.task("shop")["net"]
        assert (seen["connections"], seen["refused"]) == (2, 1)
        assert not apply(host, "shop", connections=3)["restarts"]
        assert ask(connections[2]).read() == b"1 3"
        for connection in connections:
            connection.close()


def test_in_the_backlog_they_wait(tmp_path: Path, apply: Callable[..., Any]) -> None:
    with Serving(tmp_path / "host", fullTask="backlog") as host:
        apply(host, "shop", connections=1)
        port = host.port("shop")
        first = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        first.request("POST", "/", b"x")
        assert first.getresponse().read() == b"1 1"
        second = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        second.request("POST", "/", b"x")
        assert host.task("shop")["net"]["connections"] == 1
        first.close()
        assert second.getresponse().read() == b"1 2"
        second.close()
        assert host.task("shop")["net"]["refused"] == 0
