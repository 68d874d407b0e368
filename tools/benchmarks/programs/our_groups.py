"""The groups that isolated makes for isolates with a quota. Arguments: groups COUNT.

Writes one line of JSON: {"placed_ms": [...], "removed_ms": [...], "left": N}: what it took to make each group and move
a thread into it, and to remove each when its thread was gone; N groups could not be removed.
"""

from __future__ import annotations

import json
import sys
import threading
import time

from supervisor.limits.cgroups import CpuGroups

QUOTA = 0.05
GONE_SECONDS = 20.0  # threads leave their groups some milliseconds after they were joined


def main(count: int) -> None:
    """All threads at once, as isolates' are."""
    groups = CpuGroups.open()
    if not groups.active:
        sys.exit(f"no groups can be made: {groups.enforcement.problem}")
    over = threading.Event()
    threads = [threading.Thread(target=over.wait) for _ in range(count)]
    for thread in threads:
        thread.start()
    placed, placed_ms, removed_ms = [], [], []
    for thread in threads:
        began = time.perf_counter()
        placed.append(groups.place("bench", thread.native_id or 0, QUOTA))
        placed_ms.append((time.perf_counter() - began) * 1e3)
    over.set()
    for thread in threads:
        thread.join()
    for group in placed:
        began = time.perf_counter()
        if group is not None:
            group.leave()
        removed_ms.append((time.perf_counter() - began) * 1e3)
    deadline = time.monotonic() + GONE_SECONDS
    while groups.leaving and time.monotonic() < deadline:
        groups.sweep()
    left = groups.leaving
    groups.close()
    print(json.dumps({"placed_ms": placed_ms, "removed_ms": removed_ms, "left": left}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[2]))
