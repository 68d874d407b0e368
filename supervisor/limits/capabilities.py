"""Rights of root that the daemon does not need once it runs are given up, for itself and for what it starts.

Capabilities belong to threads: this has to happen while there is one only, before V8 starts its own.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterable
from pathlib import Path

from supervisor.errors import IsolatedError

# capabilities(7), linux/capability.h. To read programs whose folder belongs to somebody else, to listen on ports below
# 1024, and to give isolates' threads a lower priority.
DAC_READ_SEARCH = 2
NET_BIND_SERVICE = 10
# To make classes of traffic, and to name them by SO_PRIORITY: for as long as the process lives, as limits may change.
NET_ADMIN = 12
# To switch the machine off without asking init: `poweroff -f`, or a machine whose init is none.
SYS_BOOT = 22
SYS_NICE = 23
KEPT = frozenset({DAC_READ_SEARCH, NET_BIND_SERVICE, SYS_NICE})

_STATUS = Path("/proc/self/status")
_THREADS = Path("/proc/self/task")
_VERSION_3 = 0x20080522  # _LINUX_CAPABILITY_VERSION_3: two words of 32 bits
_PR_CAPBSET_DROP = 24
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_LOWER = 3


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Word(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def drop_capabilities(keep: Iterable[int] = KEPT) -> frozenset[int]:
    """Gives up every capability but those of `keep` that are held, for good; returns what is held now.

    Programs started later cannot get others either, not by set-user-id and not by being root. RuntimeError if another
    thread runs already; IsolatedError if the kernel refuses.
    """
    if len(os.listdir(_THREADS)) > 1:
        raise RuntimeError("capabilities have to be dropped before there are threads")
    libc = ctypes.CDLL(None, use_errno=True)
    kept = _sum(keep)
    if _held("CapEff") & 1 << 8:  # CAP_SETPCAP, without which the bounding set stays as it is
        for number in _numbers(_held("CapBnd") & ~kept):
            _check(libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0), "bounding set")
    for number in _numbers(_held("CapAmb") & ~kept):
        _check(libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_LOWER, number, 0, 0), "ambient set")
    held = _held("CapPrm") & kept
    words = (_Word * 2)()
    for index, word in enumerate(words):
        word.effective = word.permitted = held >> 32 * index & 0xFFFFFFFF
        word.inheritable = _held("CapInh") & held >> 32 * index & 0xFFFFFFFF
    _check(libc.capset(ctypes.byref(_Header(_VERSION_3, 0)), words), "capset")
    return frozenset(_numbers(held))


def needed_capabilities(*, shaping: bool, power_off: bool) -> frozenset[int]:
    """What a daemon keeps; `shaping`: whether it may have to limit what tasks send; `power_off`: to go home."""
    return KEPT | ({NET_ADMIN} if shaping else set()) | ({SYS_BOOT} if power_off else set())


def held_capabilities() -> frozenset[int]:
    """The capabilities that this thread can use now."""
    return frozenset(_numbers(_held("CapEff")))


def _held(which: str) -> int:
    for line in _STATUS.read_text().splitlines():
        name, _, mask = line.partition(":")
        if name == which:
            return int(mask, 16)
    return 0


def _sum(numbers: Iterable[int]) -> int:
    mask = 0
    for number in numbers:
        mask |= 1 << number
    return mask


def _numbers(mask: int) -> list[int]:
    return [number for number in range(mask.bit_length()) if mask >> number & 1]


def _check(result: int, what: str) -> None:
    if result != 0:
        why = os.strerror(ctypes.get_errno())
        raise IsolatedError(
            f"capabilities cannot be dropped: {what}: {why}", "start the daemon as root or as a plain user"
        )
