"""What a client at the other end of a cable sees of a limit, in network namespaces of the tests' own."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from supervisor.limits.shaping import Shaper
from supervisor.spec.listen import parse_listen
from tests.limits.namespaces import HOST, Cable, cable, inside, run_inside, why_not

REASON = why_not()
pytestmark = pytest.mark.skipif(REASON is not None, reason=REASON or "")

MBIT = 1_000_000
SECONDS = 2.0  # of measuring; HTB's burst of 16 KiB is 0.8 % of it at 8 Mbit/s
FAST = 30 * MBIT  # what nobody limits is far above; noisy machines do a hundredth of what quiet ones do
RECEIVED = 128  # where tcpi_bytes_received is in struct tcp_info (linux/tcp.h)
QUICK_S = 0.005  # for a look that tells how much there was at one moment


@pytest.fixture
def wired() -> Iterator[Cable]:
    with cable() as made:
        yield made


class Sender:
    """A server that sends without end to who connects, with a priority, until it is closed."""

    def __init__(self, name: str, priority: int, host: str = HOST) -> None:
        self._listening = inside(name, lambda: socket.create_server((host, 0)))
        self.address: tuple[str, int] = self._listening.getsockname()
        self._priority = priority
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        sock, _ = self._listening.accept()
        with sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_PRIORITY, self._priority)
            try:
                while True:
                    sock.sendall(bytes(65_536))
            except OSError:
                return

    def close(self) -> None:
        self._listening.close()
        self._thread.join(10)


class Client:
    """Reads all it gets, and says how fast it came, as the kernel counts it: our threads may have to wait."""

    def __init__(self, name: str, address: tuple[str, int]) -> None:
        self._sock = inside(name, lambda: socket.create_connection(address))
        self._thread = threading.Thread(target=self._go, daemon=True)
        self._thread.start()

    def _go(self) -> None:
        try:
            while self._sock.recv(1 << 20):
                pass
        except OSError:
            return

    def bits_per_s(self) -> float:
        """Over SECONDS from now."""
        before, began = self._look()
        time.sleep(SECONDS)
        after, ended = self._look()
        return (after - before) * 8 / (ended - began)

    def _look(self) -> tuple[int, float]:
        """Bytes that came so far, and the time."""
        while True:
            began = time.monotonic()
            info = self._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
            if time.monotonic() - began < QUICK_S:
                return struct.unpack_from("Q", info, RECEIVED)[0], began

    def close(self) -> None:
        self._sock.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._sock.close()


def test_a_limit_holds_while_others_are_not_slowed_and_changes_under_way(wired: Cable) -> None:
    async def go() -> None:
        async with Shaper() as shaper:
            listen = [parse_listen(f"{HOST}:3000")]
            held = await shaper.hold("slow", 8 * MBIT, listen)
            wide = await shaper.hold("wide", 40_000 * MBIT, listen)
            senders = [Sender(wired.host, each) for each in (held.priority, 0, wide.priority)]
            clients = [Client(wired.client, each.address) for each in senders]
            try:
                await asyncio.sleep(0.5)
                slow, free, fast = await asyncio.gather(*(asyncio.to_thread(each.bits_per_s) for each in clients))
                assert 4 * MBIT < slow < 8.4 * MBIT  # a window that begins with a burst
                assert free > FAST
                assert fast > FAST
                await shaper.change("slow", 16 * MBIT)
                slow = await asyncio.to_thread(clients[0].bits_per_s)
                assert 9 * MBIT < slow < 16.3 * MBIT
                await shaper.free("slow")
                slow = await asyncio.to_thread(clients[0].bits_per_s)
                assert slow < 16.3 * MBIT
            finally:
                for client in clients:
                    client.close()
                for sender in senders:
                    sender.close()

    run_inside(wired.host, go)


def test_among_a_thousand_classes_and_on_loopback(wired: Cable) -> None:
    async def go() -> None:
        async with Shaper() as shaper:
            listen = [parse_listen("127.0.0.1:3000")]
            held = [await shaper.hold(f"t{number}", 8 * MBIT, listen) for number in range(1_000)]
            senders = [Sender(wired.host, each, "127.0.0.1") for each in (held[500].priority, 0)]
            clients = [Client(wired.host, each.address) for each in senders]
            try:
                await asyncio.sleep(0.5)
                slow, free = await asyncio.gather(*(asyncio.to_thread(each.bits_per_s) for each in clients))
                assert 4 * MBIT < slow < 8.4 * MBIT  # a window that begins with a burst
                assert free > FAST
            finally:
                for client in clients:
                    client.close()
                for sender in senders:
                    sender.close()

    run_inside(wired.host, go)


def test_a_very_low_limit_holds_on_average(wired: Cable) -> None:
    async def go() -> None:
        async with Shaper() as shaper:
            held = await shaper.hold("slow", 100_000, [parse_listen(f"{HOST}:3000")])
            sender = Sender(wired.host, held.priority)
            client = Client(wired.client, sender.address)
            try:
                await asyncio.sleep(3.0)  # its burst is over
                slow = await asyncio.to_thread(client.bits_per_s)
                assert slow < 400_000  # packets of 64 KiB may come into the measured time or not
            finally:
                client.close()
                sender.close()

    run_inside(wired.host, go)
