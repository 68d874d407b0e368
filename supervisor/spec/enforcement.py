"""Which limits of a task this host can hold, and what would be needed for the others. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from supervisor.errors import Problem
from supervisor.spec.units import RATE

if TYPE_CHECKING:  # the CLI knows the words, and does without the models
    from supervisor.spec.task import TaskSpec

QUOTA = "limits.cpu.quota"
CORES = "cpu"
EGRESS = "limits.net.egress"
INGRESS = "limits.net.ingress"
CONNECTIONS = "limits.net.connections"
# Those that need the kernel's or the proxy's help, in the order in which they are told. V8 and the watchdog hold the
# others on every machine.
LIMITS = (QUOTA, CORES, EGRESS, INGRESS, CONNECTIONS)


@dataclass(frozen=True, slots=True)
class Enforcement:
    """How one limit is held on this host; `how` is None where it is not."""

    limit: str  # the field of a task's settings
    how: str | None  # "cgroup v1 at /sys/fs/cgroup/cpu/isolated"
    problem: str = ""  # what is missing, when it is not held
    remedy: str = ""  # and what to do about it


# What needs no right and no feature of a kernel that some lack.
EVERYWHERE = (
    Enforcement(CORES, "the affinity of the isolate's thread"),
    Enforcement(INGRESS, "the proxy, which stops reading for a while"),
    Enforcement(CONNECTIONS, "the proxy, which counts them"),
)


def unenforced(spec: TaskSpec, enforcements: Iterable[Enforcement]) -> list[Problem]:
    """The limits that this task asks for and this host cannot hold; empty if it holds them all."""
    net = spec.limits.net
    asked = {
        QUOTA: spec.limits.cpu.quota,
        CORES: spec.cpu,
        EGRESS: None if net.egress is None else RATE.tell(net.egress),
        INGRESS: None if net.ingress is None else RATE.tell(net.ingress),
        CONNECTIONS: net.connections,
    }
    return [
        Problem(
            f"this host cannot hold it: {each.problem}",
            f'{each.remedy}; or leave the limit out, or set the host\'s `unenforced` to "warn"',
            field=each.limit,
            value=str(asked[each.limit]),
        )
        for each in enforcements
        if each.how is None and asked.get(each.limit) is not None
    ]


def completed(enforcements: Iterable[Enforcement]) -> tuple[Enforcement, ...]:
    """One for each of LIMITS, in that order: a limit that nobody spoke for is not held, and says so."""
    spoken = {each.limit: each for each in enforcements}
    return tuple(
        spoken.get(limit) or Enforcement(limit, None, "nothing in this version holds it", "leave the limit out")
        for limit in LIMITS
    )


def in_words(enforcement: Enforcement) -> str:
    """The same for people, on one line: "cgroup v1 at ...", or "not held: ...; <remedy>"."""
    if enforcement.how is not None:
        return enforcement.how
    return "; ".join(
        part for part in (f"not held: {enforcement.problem or 'no reason given'}", enforcement.remedy) if part
    )
