"""Numbers of tc: handles, and how much a class may send at once. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

# Ours: between 1: and ffff:, far from the small numbers that people write and from 8000: up, which the kernel gives.
MAJOR = 0x15A1
ROOT = MAJOR << 16
MINOR_MAX = 0xFFFF
# HTB keeps a number, r2q, that nobody needs who says quanta as we do. With this one a root of our number is ours.
MARK = MAJOR

# What a packet may have by segmentation offload, so that the pace does not depend on it.
BURST_MIN = 16_384
# A kernel timer may be late by this; a class must be able to make up for it to reach its rate.
LATE_S = 0.002
QUANTUM_MIN = 3_000  # two packets of Ethernet
QUANTUM_MAX = 60_000  # more and small tasks would wait long for a fast one

_KINDS = 16  # TC_PRIO_MAX + 1
_STEPS = (MINOR_MAX + 1) // _KINDS


@dataclass(frozen=True, slots=True)
class Pace:
    """Of a class: bytes per second, bytes at once, bytes in its turn among those that may send."""

    rate: int
    burst: int
    quantum: int


def pace(bits_per_s: int) -> Pace:
    """For a limit in bits per second, of 8 and more."""
    rate = max(1, bits_per_s // 8)
    quantum = min(QUANTUM_MAX, max(QUANTUM_MIN, rate // 1_000))
    return Pace(rate, max(BURST_MIN, int(rate * LATE_S)), quantum)


def priority(minor: int) -> int:
    """SO_PRIORITY of the sockets of a class."""
    return ROOT | minor


def minor_of(handle: int) -> int | None:
    """The class's number, if its handle is one of ours."""
    return handle & MINOR_MAX if handle >> 16 == MAJOR and handle & MINOR_MAX else None


def minors(start: int) -> Iterator[int]:
    """All numbers that a class can have, each once, from a place that `start` chooses.

    Those come first whose last four bits are 0: qdiscs of other kinds on other interfaces look at these alone, and take
    0 for ordinary traffic (linux/pkt_sched.h, TC_PRIO_BESTEFFORT).
    """
    for kind in range(_KINDS):
        for step in range(_STEPS):
            minor = (start + step) % _STEPS * _KINDS + kind
            if minor:
                yield minor
