"""Which machine gets what: from its identity to its name, group, image version and settings. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from supervisor.boot.identity import Identity
from supervisor.boot.promotion import Promotion
from supervisor.boot.settings import BootSettings, GroupSettings, MachineSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What the settings say about a machine. `listed`: it has a table of its own.

    It may have the key only if that table has its MAC address: a UUID is told to everybody on the network.
    """

    name: str
    group: str
    image: str | None  # None: the promoted one
    config: Path | None
    words: str
    may_have_key: bool
    listed: bool


def place_of(identity: Identity, settings: BootSettings) -> Place | None:
    """The machine's place; None: it is unknown, and unknown machines are refused.

    The table with its MAC address counts first, then that with its UUID; a table with both has to agree with both.
    """
    found = _listed(identity, settings)
    if found is None and settings.unknown is None:
        return None
    name, machine = found or (str(Identity(identity.mac)), MachineSettings(group=settings.unknown or "default"))
    group = settings.groups.get(machine.group, GroupSettings())
    return Place(
        name=name,
        group=machine.group,
        image=machine.image or group.image,
        config=machine.config or group.config,
        words=group.words,
        may_have_key=group.key and found is not None and machine.mac is not None,
        listed=found is not None,
    )


def image_for(place: Place, identity: Identity, promotion: Promotion) -> str | None:
    """The image version that it boots; None: there is none yet."""
    return place.image or promotion.version_for(identity.mac)


def _listed(identity: Identity, settings: BootSettings) -> tuple[str, MachineSettings] | None:
    agreeing = [
        (name, machine)
        for name, machine in settings.machines.items()
        if machine.mac in (None, identity.mac) and machine.uuid in (None, identity.uuid)
    ]
    return min(agreeing, key=lambda each: each[1].mac is None, default=None)
