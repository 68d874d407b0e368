"""limits.net.egress and ingress of a real daemon, as a client at the other end of a cable measures them for long."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from tests.functional.running import PATIENCE_S, handler, write_task
from tests.functional.serving import Serving
from tests.limits.namespaces import HOST, Cable, cable, inside, why_not

REASON = why_not()
pytestmark = pytest.mark.skipif(REASON is not None, reason=REASON or "")

MBIT = 1_000_000
SECONDS = 10.0
TRIES = 6
BUFFER = 65_536  # of what has come and is not read yet; the kernel would let it grow while we measure
# The host reads at once what it did not read for a tenth of a second: 1 % of the time. The buffer is 0.7 % at 8 Mbit/s.
READS_MORE = 1.02
FAST = 40  # what nobody limits is far above
ACKED, RECEIVED = 120, 128  # where tcpi_bytes_acked and tcpi_bytes_received are in struct tcp_info (linux/tcp.h)
QUICK_S = 0.005  # for a look that tells how much there was at one moment
PIECE = bytes(65_536)
BODY = 1_500 * len(PIECE)  # a request may have 100 MiB
SENDS = """
const piece = new Uint8Array(65536);
export default { fetch() {
    return new Response(new ReadableStream({ pull(controller) { controller.enqueue(piece.slice()); } }));
} };
"""
TAKES = handler("for await (const piece of request.body) ; return new Response('all');")


@pytest.fixture
def wired() -> Iterator[Cable]:
    with cable() as made:
        inside(made.host, lambda: Path("/proc/sys/net/ipv4/tcp_rmem").write_text(f"4096 {BUFFER} {BUFFER}"))
        yield made


class Client:
    """On the other machine. Reads an answer without end, or uploads; its kernel counts what the host sent or took."""

    def __init__(self, machine: str, port: int, *, uploads: bool) -> None:
        self._sock = inside(machine, lambda: socket.create_connection((HOST, port), PATIENCE_S))
        self._counter = ACKED if uploads else RECEIVED
        self._thread = threading.Thread(target=self._upload if uploads else self._download, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(PATIENCE_S)
        self._sock.close()

    def _download(self) -> None:
        with contextlib.suppress(OSError):  # the test is over
            self._sock.sendall(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            while self._sock.recv(1 << 20):
                pass

    def _upload(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._sock.sendall(b"POST / HTTP/1.1\r\nHost: test\r\nContent-Length: %d\r\n\r\n" % BODY)
                for _ in range(BODY // len(PIECE)):
                    self._sock.sendall(PIECE)
                self._sock.recv(1 << 16)

    def mbits_per_s(self, seconds: float = SECONDS) -> float:
        """From now on."""
        before, began = self._look()
        time.sleep(seconds)
        after, ended = self._look()
        return (after - before) * 8 / (ended - began) / MBIT

    def keeps_between(self, low: float, high: float) -> None:
        """It is never faster, and as fast as that as soon as the machine lets it."""
        for _ in range(TRIES):
            rate = self.mbits_per_s()
            assert rate <= high, f"{rate:.3f} Mbit/s"
            if rate >= low:
                return
        raise AssertionError(f"{rate:.3f} Mbit/s")

    def _look(self) -> tuple[int, float]:
        """Bytes so far, and the time."""
        while True:
            began = time.monotonic()
            info = self._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
            if time.monotonic() - began < QUICK_S:
                return struct.unpack_from("Q", info, self._counter)[0], began


@pytest.mark.slow  # measures for tens of seconds
@pytest.mark.parametrize(("limit", "source", "more"), [("egress", SENDS, 1.0), ("ingress", TAKES, READS_MORE)])
def test_a_limit_of_8_mbit_is_7_to_8_beside_a_neighbour_at_full_speed_and_one_of_16_is_14_to_16(
    wired: Cable, tmp_path: Path, limit: str, source: str, more: float
) -> None:
    def apply(host: Serving, name: str, rate: str | None) -> None:
        limits = {"net": {limit: rate}, "cpu": {"request": None, "wall": None}}
        file = write_task(tmp_path / name, source, name=name, listen=[f"{HOST}:0"], limits=limits)
        host.said("apply", file, "--no-bundle")

    def go() -> None:
        with Serving(tmp_path / "host", drain="1s") as host:
            apply(host, "slow", "8mbit")
            apply(host, "free", None)
            uploads = limit == "ingress"
            with (
                Client(wired.client, host.port("slow"), uploads=uploads) as slow,
                Client(wired.client, host.port("free"), uploads=uploads) as free,
            ):
                time.sleep(1.0)  # the burst, and what fills the buffers between
                slow.keeps_between(7, 8 * more)
                assert free.mbits_per_s(2.0) > FAST
                apply(host, "slow", "16mbit")
                time.sleep(1.0)
                slow.keeps_between(14, 16 * more)
                assert free.mbits_per_s(2.0) > FAST

    inside(wired.host, go)
