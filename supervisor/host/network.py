"""What tasks may send, receive and have open: from a task's settings to its listeners and to the kernel."""

from __future__ import annotations

from supervisor.errors import Problem
from supervisor.ingress.listeners import Listeners
from supervisor.ingress.traffic import NetHold
from supervisor.limits.shaping import EgressUsage, Held, Shaper
from supervisor.spec.enforcement import unenforced
from supervisor.spec.task import TaskSpec
from supervisor.telemetry.logs import task_log


class Network:
    """Holds limits.net of tasks that listen, but for those of what they fetch. Loop thread."""

    def __init__(self, shaper: Shaper, listeners: Listeners) -> None:
        self._shaper = shaper
        self._listeners = listeners
        self._held: dict[str, Held] = {}  # how limits.net.egress is, by label
        shaper.on_change = self._looked

    async def hold(self, spec: TaskSpec) -> None:
        """Before the task's first connection is accepted. Again: its limits change, on open connections too."""
        limits = spec.limits.net
        priority = None if limits.egress is None else await self._egress(spec, limits.egress)
        self._listeners.limit(spec.label, NetHold(limits.ingress, limits.connections, priority))
        if limits.egress is None:  # only now: no connection has the class any more
            await self.free(spec.label)

    async def free(self, label: str) -> None:
        """The task does not listen any more; what is left of its connections stays limited."""
        if self._held.pop(label, None) is not None:
            await self._shaper.free(label)

    def lacking(self, spec: TaskSpec) -> list[Problem]:
        """Why the limit of a task that is held is not kept everywhere; empty if it is."""
        held = self._held.get(spec.label)
        return [] if held is None else unenforced(spec, [held.enforcement])

    def egress(self, label: str) -> EgressUsage | None:
        """What it has sent since it was held, as of some seconds ago; None: it has no limit."""
        return self._shaper.figures.get(label, EgressUsage()) if label in self._held else None

    async def _egress(self, spec: TaskSpec, bits_per_s: int) -> int | None:
        """SO_PRIORITY for its connections; None if it cannot be held."""
        held = await self._shaper.hold(spec.label, bits_per_s, spec.listen)
        self._note(spec.label, held)
        return held.priority or None

    def _looked(self, label: str, held: Held) -> None:
        """The shaper has looked again."""
        before = self._held.get(label)
        if before is not None and before.priority == held.priority:  # else its connections are not in that class
            self._note(label, held)

    def _note(self, label: str, held: Held) -> None:
        before, now = self._held.get(label), held.enforcement
        self._held[label] = held
        if now.how is None and (before is None or before.enforcement != now):
            task_log(label).warning("limits.net.egress is not held", problem=now.problem, remedy=now.remedy)
        elif now.how is not None and before is not None and before.enforcement.how is None:
            task_log(label).info("limits.net.egress is held again", how=now.how)
