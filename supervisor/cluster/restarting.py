"""A guardian places the tasks of owners that are gone, and finds owners that lost their memory.

A host that comes back (or a new boot of it) is asked what it owns: what it does not own any more, though its guardians
believe it, is placed anew without a grace.

A program that does not come up ran once: it is tried on one host after the other, but with a pause before each, since
it may be one that harms the host on which it boots.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from supervisor.cluster.finding import find
from supervisor.cluster.guardians import union
from supervisor.cluster.placing import NotPlaced, place
from supervisor.cluster.ports import Silent
from supervisor.cluster.restart import is_due
from supervisor.cluster.shared import Shared
from supervisor.cluster.values import Cause, Record

AGAIN_S = 5.0  # after a placement failed, with jitter; then twice as long, up to
AGAIN_MOST_S = 60.0
AUDIT_WITHIN_S = 5.0  # of a host that came back: not all of its guardians at once


@dataclass(frozen=True, slots=True)
class _Failure:
    """Placements of a task that failed, one after the other."""

    again_at: float = 0.0
    waited_s: float = AGAIN_S / 2
    hosts: frozenset[str] = frozenset()  # on which its program did not come up


class Restarting:
    """The duties of one host as a guardian. Loop thread."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._under_way: set[str] = set()
        self._failures: dict[str, _Failure] = {}  # by label
        self._lost: dict[str, tuple[int, float]] = {}  # label -> the epoch whose owner does not have it, and since when

    def look(self) -> None:
        """Starts the placements that are due. Every second."""
        shared = self._shared
        for label in list(self._candidates()):
            if len(self._under_way) >= shared.rules.restarts:
                return
            if label not in self._under_way and self._is_due(label):
                self._under_way.add(label)
                shared.scheduler.start(self._restart(label))

    def audit(self) -> None:
        """Starts to ask the hosts that are to be asked by now. Every second."""
        now, audits = self._shared.now, self._shared.audits
        for host in [host for host, at in audits.items() if now >= at]:
            del audits[host]
            self._shared.scheduler.start(self._audit(host))

    def _candidates(self) -> Iterator[str]:
        """Tasks whose owner may be gone."""
        view, ledger = self._shared.view, self._shared.ledger
        yield from self._lost
        for member in (*view.failed, *view.left):
            yield from ledger.labels_of(member.id)
        if self._shared.now - self._shared.started > self._shared.rules.grace_s:
            for host in [host for host in ledger.owners() if view.get(host) is None]:
                yield from ledger.labels_of(host)

    def _is_due(self, label: str) -> bool:
        shared = self._shared
        entry = shared.ledger.get(label)
        if entry is None or entry.record is None or shared.now < self._failure(label).again_at:
            return False
        epoch, lost_since = self._lost.get(label, (0, None))
        if epoch != entry.record.epoch:
            lost_since = None
        return is_due(entry, shared.view, shared.me, shared.now, shared.rules, lost_since=lost_since)

    async def _restart(self, label: str) -> None:
        shared = self._shared
        try:
            before = shared.ledger.record(label)
            record = await find(shared, label)  # this host may be the one that missed a change
            if record is None or before is None or record.version != before.version:
                await self._learn(label, record)
                return
            outcome = await place(shared, record, without=self._failure(label).hosts)
            if isinstance(outcome, NotPlaced):
                await self._failed(label, outcome)
                return
            shared.notice("restarted", {"label": label, "from": record.owner, "on": outcome.record.owner})
            self._lost.pop(label, None)
            self._failures.pop(label, None)
            shared.supersede(record, outcome.record)
        finally:
            self._under_way.discard(label)

    async def _failed(self, label: str, outcome: NotPlaced) -> None:
        shared = self._shared
        if outcome.newer is not None:
            await self._learn(label, outcome.newer)
            return
        before = self._failure(label)
        wait_s = min(AGAIN_MOST_S, 2 * before.waited_s)
        again_at = shared.now + wait_s * shared.chance.uniform(0.5, 1.5)
        # When there is no other host any more, it begins with the first again.
        hosts = frozenset[str]()
        if outcome.cause is Cause.PROGRAM:
            hosts = before.hosts | {outcome.host}
        self._failures[label] = _Failure(again_at, wait_s, hosts)
        shared.notice("restart-failed", {"label": label, "problem": outcome.problem})

    def _failure(self, label: str) -> _Failure:
        return self._failures.get(label, _Failure())

    async def _learn(self, label: str, newer: Record | None) -> None:
        self._lost.pop(label, None)
        if newer is not None:
            await self._shared.take(newer)

    async def _audit(self, host: str) -> None:
        """What a host does not own though this one's records say so is lost; whatever is in doubt is left alone."""
        shared = self._shared
        member = shared.member(host)
        if member is None:
            return
        before = {label: shared.ledger.record(label) for label in shared.ledger.labels_of(host)}
        try:
            held = await shared.peers.records(member)
        except Silent:
            shared.audit_soon(host, 4 * AUDIT_WITHIN_S)
            return
        for label, record in before.items():
            if record is None or not record.exists or shared.me not in union(record):
                continue
            if label not in held and shared.ledger.record(label) == record:
                if self._lost.get(label, (0, 0.0))[0] != record.epoch:
                    self._lost[label] = (record.epoch, shared.now)
            else:
                self._lost.pop(label, None)
