"""Magic packets, on real sockets."""

from __future__ import annotations

import asyncio
import socket

import pytest

from supervisor.cluster.power.failures import WakeFailed
from supervisor.cluster.power.magic_packet import TIMES, magic_packet, send_magic_packets
from supervisor.spec.wake_on_lan import WakeOnLan
from tests.limits.namespaces import namespace, run, run_inside, why_not

MAC = "02:5c:52:31:3a:9c"
REASON = why_not()
EVERYTHING = 3  # ETH_P_ALL
PATIENCE_S = 30


def test_the_packet_is_the_address_sixteen_times_after_six_bytes_of_ones() -> None:
    packet = magic_packet(MAC)
    assert len(packet) == 102
    assert packet[:6] == b"\xff" * 6
    assert packet[6:] == b"\x02\x5c\x52\x31\x3a\x9c" * 16


async def test_it_arrives_where_it_is_sent_to() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.setblocking(False)
        await send_magic_packets(WakeOnLan(MAC, "127.0.0.1", listener.getsockname()[1]))
        async with asyncio.timeout(PATIENCE_S):
            for _ in range(TIMES):
                assert await asyncio.get_running_loop().sock_recv(listener, 1000) == magic_packet(MAC)


@pytest.mark.skipif(REASON is not None, reason=str(REASON))
def test_without_an_address_it_leaves_by_every_interface_that_is_up() -> None:
    with namespace() as machine:
        for number in (1, 2, 3):
            run("ip", "-n", machine, "link", "add", f"card{number}", "type", "veth", "peer", "name", f"far{number}")
            run("ip", "-n", machine, "link", "set", f"far{number}", "up")
        for number in (1, 2):
            run("ip", "-n", machine, "addr", "add", f"10.98.{number}.1/24", "dev", f"card{number}")
            run("ip", "-n", machine, "link", "set", f"card{number}", "up")
        assert run_inside(machine, lambda: heard("far1", "far2")) == [True, True]


async def heard(*interfaces: str) -> list[bool]:
    """Whether a frame to everybody, with the packet in it, came in at the far ends of the cables."""
    loop = asyncio.get_running_loop()
    sniffers = [socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(EVERYTHING)) for _ in interfaces]
    try:
        for sniffer, interface in zip(sniffers, interfaces, strict=True):
            sniffer.bind((interface, EVERYTHING))
            sniffer.setblocking(False)
        await send_magic_packets(WakeOnLan(MAC))
        async with asyncio.timeout(PATIENCE_S):
            return [await came(loop, sniffer) for sniffer in sniffers]
    finally:
        for sniffer in sniffers:
            sniffer.close()


async def came(loop: asyncio.AbstractEventLoop, sniffer: socket.socket) -> bool:
    while True:
        frame = await loop.sock_recv(sniffer, 2000)
        if frame.endswith(magic_packet(MAC)):
            return frame.startswith(b"\xff" * 6)


@pytest.mark.skipif(REASON is not None, reason=str(REASON))
def test_without_a_network_it_says_so() -> None:
    with namespace() as machine:
        with pytest.raises(WakeFailed, match="there is no network interface"):
            run_inside(machine, lambda: send_magic_packets(WakeOnLan(MAC)))
        with pytest.raises(WakeFailed, match=r"no magic packet could be sent to 10\.1\.1\.255: Network is unreachable"):
            run_inside(machine, lambda: send_magic_packets(WakeOnLan(MAC, "10.1.1.255")))
        run("ip", "-n", machine, "link", "add", "card", "type", "veth", "peer", "name", "far")
        with pytest.raises(WakeFailed, match=r"no magic packet could be sent: .*card: Network is"):
            run_inside(machine, lambda: send_magic_packets(WakeOnLan(MAC)))
