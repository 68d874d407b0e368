"""Runs in the guest: threads that spin outside of the interpreter, and how much of a core each gets."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

WARM_UP_S = 0.5  # the first periods of a fresh quota are not throttled yet
_TICKS = os.sysconf("SC_CLK_TCK")
_FOR_EVER = 2**31 - 1  # iterations: hours


def spinner() -> int:
    """Starts a thread that never sleeps and never holds the GIL; returns its id for the kernel."""
    started = threading.Event()
    numbers: list[int] = []

    def spin() -> None:
        numbers.append(threading.get_native_id())
        started.set()
        hashlib.pbkdf2_hmac("sha256", b"password", b"salt", _FOR_EVER)

    threading.Thread(target=spin, daemon=True).start()
    started.wait()
    return numbers[0]


def shares(threads: Iterable[int], seconds: float) -> list[float]:
    """What share of a core each of them had, in the next so many seconds after a warm-up."""
    wanted = list(threads)
    time.sleep(WARM_UP_S)
    before, start = [cpu_s(each) for each in wanted], time.monotonic()
    time.sleep(seconds)
    took = time.monotonic() - start
    return [round((cpu_s(each) - was) / took, 4) for each, was in zip(wanted, before, strict=True)]


def cpu_s(thread: int, process: int | str = "self") -> float:
    """User and system time of a thread."""
    fields = Path(f"/proc/{process}/task/{thread}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def tell(step: str, **values: Any) -> None:
    """A result, for the test that reads the console."""
    show(json.dumps({"step": step, **values}))


def show(line: str) -> None:
    """A line on the console."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
