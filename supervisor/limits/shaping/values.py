"""What goes into the shaper and comes out of it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.spec.enforcement import Enforcement


@dataclass(frozen=True, slots=True, kw_only=True)
class ShapingOptions:
    """Which interfaces of the machine are shaped."""

    interfaces: tuple[str, ...] | None = None  # None: those that carry the traffic of the tasks; (): none
    take_qdiscs: bool = False  # whether a root qdisc that somebody else set is replaced


@dataclass(frozen=True, slots=True)
class Held:
    """How the limit of one task is held."""

    priority: int  # for SO_PRIORITY of each of its connections; 0, which anybody may set: it is not held
    interfaces: tuple[str, ...]  # where the limit holds, on each for itself
    enforcement: Enforcement  # `how` None: not held on all interfaces that carry its traffic


@dataclass(frozen=True, slots=True)
class EgressUsage:
    """What a task has sent since its limit was set, on all interfaces together."""

    bytes: int = 0  # with the headers of Ethernet, IP and TCP
    packets: int = 0
    drops: int = 0  # packets: its queue was full
    overlimits: int = 0  # how often a packet had to wait

    def __add__(self, other: EgressUsage) -> EgressUsage:
        return EgressUsage(
            self.bytes + other.bytes,
            self.packets + other.packets,
            self.drops + other.drops,
            self.overlimits + other.overlimits,
        )
