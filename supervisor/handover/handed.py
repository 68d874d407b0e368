"""A successor that is the host now, as its predecessor sees it while that drains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from supervisor.handover.child import Child
from supervisor.handover.waiter import SIGNALLED, Hosts


@dataclass(frozen=True, slots=True)
class Handed:
    """`ready` is what it said when it could serve."""

    child: Child
    ready: Mapping[str, Any]
    hosts: Hosts | None  # of the first process, if that has to wait for all of them

    @property
    def pid(self) -> int:
        """Of the successor."""
        return self.child.pid

    @property
    def exit_code(self) -> int:
        """What the predecessor should exit with: 0, or the successor's code if that has ended meanwhile."""
        code = self.child.code or 0
        return code if code >= 0 else SIGNALLED - code
