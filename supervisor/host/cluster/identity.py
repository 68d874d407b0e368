"""Who this host is in the cluster."""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from supervisor.cluster.values import HostState, Member, MemberState
from supervisor.spec.listen import ListenAddress
from supervisor.spec.settings import HostSettings
from supervisor.state.store import Store

HOST_ID = "hostId"  # the store's key
NAME_LENGTH = 40  # of the machine's name: with six digits after it an id stays far below what Serf's tags can hold
STAT = Path("/proc/stat")


async def own_member(settings: HostSettings, store: Store) -> Member:
    """This host as it begins: starting, without room. StoreError."""
    address = settings.cluster_advertise or settings.cluster_listen
    return Member(
        id=settings.host_id or await _kept_id(store),
        boot_time=settings.boot_time_s or machine_boot_time(),
        api=str(address),
        alive=MemberState.ALIVE,
        state=HostState.STARTING,
        room=False,
        image=settings.image_id,
        since=asyncio.get_running_loop().time(),
    )


def gossip_address(settings: HostSettings) -> str | None:
    """Where others are told that this host hears their gossip; None: where it listens, or what Serf finds.

    Serf looks for a private address, and takes that of a container's bridge if it comes first. The host has been told
    already where others reach it.
    """
    heard, reached = settings.gossip_listen, settings.cluster_advertise or settings.cluster_listen
    if settings.gossip_advertise is not None:
        return str(settings.gossip_advertise)
    here, there = _ip(heard.host), _ip(reached.host) if reached is not None else None
    if here is None or there is None or not here.is_unspecified or here.version != there.version:
        return None
    return str(ListenAddress("tcp", host=str(there), port=heard.port))


def machine_boot_time() -> float:
    """When this machine booted, in seconds since 1970."""
    return boot_time(STAT.read_text(encoding="ascii"))


def boot_time(stat: str) -> float:
    """When the machine booted, in seconds since 1970, out of /proc/stat; 0 where it does not say."""
    found = re.search(r"^btime (\d+)$", stat, re.MULTILINE)
    return float(found[1]) if found else 0.0


def made_id(machine: str, digits: str) -> str:
    """An id for a machine of that name; two machines of one name have different ones."""
    plain = re.sub(r"[^a-z0-9]+", "-", machine.partition(".")[0].lower())[:NAME_LENGTH].strip("-")
    return f"{plain or 'host'}-{digits}"


def _ip(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


async def _kept_id(store: Store) -> str:
    """It stays the same for as long as the state does."""
    kept = await store.get_meta(HOST_ID)
    if kept is None:
        kept = made_id(socket.gethostname(), secrets.token_hex(3))
        await store.put_meta(HOST_ID, kept)
    return kept
