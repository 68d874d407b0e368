"""What clients of a real daemon see of limits.net.egress, over a cable between network namespaces of the test's own."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.running import write_task
from tests.functional.serving import Serving
from tests.limits.namespaces import HOST, Cable, cable, inside, why_not

REASON = why_not()
pytestmark = pytest.mark.skipif(REASON is not None, reason=REASON or "")

MBIT = 1_000_000
ENDLESS = """
const piece = new Uint8Array(65536);
export default { fetch() {
    return new Response(new ReadableStream({ pull(controller) { controller.enqueue(piece.slice()); } }));
} };
"""


@pytest.fixture
def wired() -> Iterator[Cable]:
    with cable() as made:
        yield made


class Reader:
    """A client on the other machine that reads an answer without end."""

    def __init__(self, client: str, port: int) -> None:
        self._sock = inside(client, lambda: socket.create_connection((HOST, port)))
        self._sock.sendall(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
        self._read = 0
        self._thread = threading.Thread(target=self._go, daemon=True)
        self._thread.start()

    def _go(self) -> None:
        with contextlib.suppress(ConnectionResetError):  # the host is over
            while data := self._sock.recv(1 << 20):
                self._read += len(data)

    def mbits_per_s(self, seconds: float = 2.0) -> float:
        """From now on."""
        before, began = self._read, time.monotonic()
        time.sleep(seconds)
        return (self._read - before) * 8 / (time.monotonic() - began) / MBIT

    def close(self) -> None:
        """Ends the answer."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._sock.close()


@pytest.mark.slow  # measures for seconds
def test_a_limited_task_and_its_neighbour(wired: Cable, tmp_path: Path) -> None:
    def apply(host: Serving, name: str, egress: str | None) -> None:
        limits = {"net": {"egress": egress}}
        file = write_task(tmp_path / name, ENDLESS, name=name, listen=[f"{HOST}:0"], limits=limits)
        host.said("apply", file, "--no-bundle")

    def go() -> None:
        with Serving(tmp_path / "host", drain="1s") as host:
            apply(host, "slow", "8mbit")
            apply(host, "free", None)
            slow, free = (Reader(wired.client, host.port(name)) for name in ("slow", "free"))
            try:
                time.sleep(0.5)
                assert 6 < slow.mbits_per_s() < 8.1
                assert free.mbits_per_s(1.0) > 40
                apply(host, "slow", "16mbit")
                assert 12 < slow.mbits_per_s() < 16.3
                host.wait(lambda: host.task("slow")["egress"]["bytes"] > MBIT, "its bytes are told")
                apply(host, "slow", None)
                assert slow.mbits_per_s() > 20
            finally:
                slow.close()
                free.close()

    inside(wired.host, go)
