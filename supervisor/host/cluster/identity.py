"""Who this host is in the cluster."""

from __future__ import annotations

import asyncio
import re
import secrets
import socket
from pathlib import Path

from supervisor.cluster.values import HostState, Member, MemberState
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


async def _kept_id(store: Store) -> str:
    """It stays the same for as long as the state does."""
    kept = await store.get_meta(HOST_ID)
    if kept is None:
        kept = made_id(socket.gethostname(), secrets.token_hex(3))
        await store.put_meta(HOST_ID, kept)
    return kept
