"""What somebody who listens on the network gets to see: nothing."""

from __future__ import annotations

import asyncio
import socket
import zlib
from pathlib import Path

import pytest

from supervisor.cluster.serf.rotation import encoded
from supervisor.cluster.values import HostState
from tests.cluster.serf.agents import KEY, OTHER_KEY, host, met, options, until, why_no_agent
from tests.limits.namespaces import namespace, run_inside, why_not

WHY_NOT = why_no_agent() or why_not()
pytestmark = pytest.mark.skipif(WHY_NOT is not None, reason=WHY_NOT or "")

ETH_P_ALL = 3
PORT = 7946
HEAD = 14  # bytes of Ethernet's
UDP_HEAD = 8


class Sniffer:
    """Everything that goes over the gossip's port; RPC is on the loopback of a host and not on the network."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self._socket.bind(("lo", 0))
        self._socket.setblocking(False)
        asyncio.get_running_loop().add_reader(self._socket, self._read)
        self.tcp = b""
        self.udp = b""

    def _read(self) -> None:
        frame, address = self._socket.recvfrom(2**17)
        if address[2] == socket.PACKET_OUTGOING:
            return  # on a loopback it comes in as well
        packet = frame[HEAD + (frame[HEAD] & 0x0F) * 4 :]
        if PORT in (int.from_bytes(packet[:2]), int.from_bytes(packet[2:4])):
            if frame[HEAD + 9] == socket.IPPROTO_TCP:
                self.tcp += packet[(packet[12] >> 4) * 4 :]
            else:
                self.udp += packet[UDP_HEAD:]

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()


def test_neither_keys_nor_tags_are_seen_on_the_wire(tmp_path: Path) -> None:
    """While two hosts meet, change a tag, and change keys."""

    async def work() -> None:
        sniffer = Sniffer()
        image = "image-that-is-easily-found"
        async with (
            host(options(tmp_path, 1), image=image) as one,
            host(options(tmp_path, 2, 1), image=image) as two,
        ):
            await met(one, two)
            one.membership.tell(HostState.DRAINING, room=False)
            await until(lambda: two.of("h1").state is HostState.DRAINING)  # type: ignore[union-attr]
            two.membership.use_keys((OTHER_KEY,))
            await until(lambda: encoded(KEY) not in one.options.keyring.read_text(), lambda: two.lines)
        sniffer.close()
        assert len(sniffer.tcp) > 500
        assert len(sniffer.udp) > 500
        secrets = [KEY, OTHER_KEY, *(encoded(key).encode() for key in (KEY, OTHER_KEY)), image.encode(), b"draining"]
        for secret in [*secrets, b"10.0.0.1:7000"]:
            assert secret not in sniffer.tcp + sniffer.udp, secret
        for seen in (
            sniffer.tcp,
            sniffer.udp,
        ):  # Serf packs its messages, which hides texts as well; chance does not pack
            assert len(zlib.compress(seen, 9)) > 0.97 * len(seen)

    with namespace() as name:
        run_inside(name, work)
