"""How far each machine has come in its boot, for operators. Pure: time is given, in seconds since 1970."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any


class Stage(StrEnum):
    """The stations of a boot, in their order."""

    DHCP = "dhcp"
    TFTP = "tftp"
    SCRIPT = "script"
    KERNEL = "kernel"
    INITRAMFS = "initramfs"
    MODLOOP = "modloop"
    APKOVL = "apkovl"
    CONFIG = "config"
    SECRET = "secret"  # noqa: S105  # a station, not a secret
    JOINED = "joined"


MACHINES_MAX = 4096  # a MAC address is easily made up: what is remembered of strangers has a bound
ORDER = {stage: number for number, stage in enumerate(Stage)}


@dataclass(slots=True)
class Progress:
    """One machine's boot: when it passed which station first, and what went wrong last."""

    mac: str
    name: str = ""
    image: str | None = None
    address: str | None = None
    boots: int = 0
    stages: dict[str, float] = field(default_factory=dict)
    problem: str | None = None
    key_due: bool = False  # this boot has not fetched the key yet
    key_taker: str = ""  # who has: the digest of a secret of its own, if it showed one

    @property
    def stage(self) -> Stage | None:
        """The furthest station."""
        return max((Stage(each) for each in self.stages), key=ORDER.__getitem__, default=None)

    @property
    def last(self) -> float | None:
        """When anything was passed last."""
        return max(self.stages.values(), default=None)

    def is_key_for(self, taker: str) -> bool:
        """Whether it goes to this one: the first in a boot, and the same again, as an answer may be lost."""
        return self.key_due or (taker != "" and taker == self.key_taker)


class Journal:
    """All machines that were heard of."""

    def __init__(self, known: Mapping[str, Progress] | None = None) -> None:
        self.machines: dict[str, Progress] = dict(known or {})

    def of(self, mac: str) -> Progress:
        """The machine's progress, new if it was never heard of. Strangers are forgotten when there are too many."""
        if mac not in self.machines and len(self.machines) >= MACHINES_MAX:
            stranger = next(
                (each for each, progress in self.machines.items() if not progress.name), next(iter(self.machines))
            )
            del self.machines[stranger]
        return self.machines.setdefault(mac, Progress(mac))

    def at(self, address: str) -> Progress | None:
        """Who was given this address last."""
        return next((each for each in self.machines.values() if each.address == address), None)

    def dhcp(self, mac: str, now: float, *, address: str | None, firmware: bool) -> Progress:
        """It asked for an address. Firmware that asks after a script was fetched begins another boot."""
        progress = self.of(mac)
        if progress.boots == 0 or (firmware and Stage.SCRIPT in progress.stages):
            self._begin(progress)
        if address is not None:
            self._give(progress, address)
        progress.stages.setdefault(Stage.DHCP, now)
        return progress

    def script(self, mac: str, now: float) -> Progress:
        """It fetched its script, from which on it may have the key once. After a kernel, that is another boot."""
        progress = self.of(mac)
        if progress.boots == 0 or Stage.KERNEL in progress.stages:
            self._begin(progress)
        progress.stages.setdefault(Stage.SCRIPT, now)
        progress.key_due, progress.key_taker = True, ""
        return progress

    def passed(self, mac: str, stage: Stage, now: float) -> bool:
        """It came to a station; whether that is the first time in this boot."""
        progress = self.of(mac)
        first = stage not in progress.stages
        progress.stages.setdefault(stage, now)
        if stage is Stage.SECRET:
            progress.key_due = False
        if first:
            progress.problem = None
        return first

    def key_given(self, mac: str, taker: str, now: float) -> bool:
        """It was answered with the key; whether that is the first time in this boot."""
        self.of(mac).key_taker = taker
        return self.passed(mac, Stage.SECRET, now)

    def _begin(self, progress: Progress) -> None:
        progress.boots += 1
        progress.stages, progress.problem = {}, None
        progress.key_due, progress.key_taker = False, ""

    def _give(self, progress: Progress, address: str) -> None:
        for other in self.machines.values():
            if other.address == address and other is not progress:
                other.address = None
        progress.address = address


def to_document(journal: Journal) -> list[dict[str, Any]]:
    """All progress as plain values."""
    return [asdict(each) for each in journal.machines.values()]


def from_document(document: object) -> Journal:
    """What `to_document` made; an empty journal from anything else, as a journal is not worth a failure to start."""
    try:
        made = [Progress(**each) for each in document]  # type: ignore[attr-defined]
        known = {each.mac: each for each in made if each.last is None or each.stage is not None}
        return Journal(known)
    except TypeError, ValueError, AttributeError:
        return Journal()
