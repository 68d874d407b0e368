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
from supervisor.cluster.guardians import agreed, quorums, union
from supervisor.cluster.placing import NotPlaced, place
from supervisor.cluster.ports import Silent
from supervisor.cluster.restart import due_at, gone_at
from supervisor.cluster.shared import Shared
from supervisor.cluster.values import Cause, Record
from supervisor.cluster.view import View

AGAIN_S = 5.0  # after a placement failed, with jitter; then twice as long, up to
AGAIN_MOST_S = 60.0
AUDIT_WITHIN_S = 5.0  # of a host that came back: not all of its guardians at once


@dataclass(frozen=True, slots=True)
class _Failure:
    """Placements of a task that failed, one after the other."""

    again_at: float = 0.0
    waited_s: float = AGAIN_S / 2
    hosts: frozenset[str] = frozenset()  # on which its program did not come up
    problem: str = ""


class Restarting:
    """The duties of one host as a guardian. Loop thread."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._under_way: set[str] = set()
        self._failures: dict[str, _Failure] = {}  # by label
        self._lost: dict[str, tuple[int, float]] = {}  # label -> the epoch whose owner does not have it, and since when
        self._seen: tuple[View, int] | None = None  # of the latest look: the view, and the ledger's changes
        self._next_at = 0.0  # nothing is due sooner, as long as those are the same

    def look(self) -> None:
        """Starts the placements that are due. Every second."""
        shared, seen = self._shared, (self._shared.view, self._shared.ledger.changes)
        if seen == self._seen and shared.now < self._next_at:
            return
        self._seen, self._next_at = seen, float("inf")
        for label in list(self._candidates()):
            at = None if label in self._under_way else self._due_at(label)
            if at is not None and at <= shared.now and len(self._under_way) < shared.rules.restarts:
                self._under_way.add(label)
                shared.scheduler.start(self._restart(label))
            elif at is not None:
                self._next_at = min(self._next_at, at)
            if len(self._under_way) >= shared.rules.restarts:
                return  # the next one that ends has them looked at again

    def problem(self, label: str) -> str:
        """Why the latest attempt to place a task anew came to nothing; empty: there was none."""
        return self._failure(label).problem

    def audit(self) -> None:
        """Starts to ask the hosts that are to be asked by now. Every second."""
        for host in self._shared.audits.take(self._shared.now):
            self._shared.scheduler.start(self._audit(host))

    def _candidates(self) -> Iterator[str]:
        """Tasks whose owner may be gone."""
        shared, view, owners = self._shared, self._shared.view, self._shared.ledger.owners()
        yield from self._lost
        known_at = shared.started + shared.rules.grace_s  # by then everybody who is there has been heard of
        for host in sorted(owners - view.members.keys()) + sorted(owners & view.gone):
            at = known_at if view.get(host) is None else gone_at(host, view, shared.rules)
            if at is not None and at <= shared.now:
                yield from shared.ledger.labels_of(host)
            elif at is not None:
                self._next_at = min(self._next_at, at)

    def _due_at(self, label: str) -> float | None:
        shared = self._shared
        entry = shared.ledger.get(label)
        if entry is None or entry.record is None:
            return None
        again_at = self._failure(label).again_at
        if shared.now < again_at:
            return again_at
        epoch, lost_since = self._lost.get(label, (0, None))
        if epoch != entry.record.epoch:
            lost_since = None
        return due_at(entry, shared.view, shared.me, shared.rules, lost_since=lost_since)

    async def _restart(self, label: str) -> None:
        shared = self._shared
        try:
            before = shared.ledger.record(label)
            if before is not None and not self._may_agree(before):
                await self._failed(label, NotPlaced(f"too few of its guardians ({', '.join(union(before))}) are seen"))
                return
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
            self._next_at = 0.0

    def _may_agree(self, record: Record) -> bool:
        """Whether the guardians that are seen are enough for a claim.

        In a partition they often are not. A claim would then come to nothing, but for promises of this host that keep
        the owner's own changes out; and five hosts would be asked for each attempt.
        """
        shared = self._shared
        seen = [host for host in union(record) if shared.member(host) is not None]
        return agreed(quorums(record, shared.view, shared.now, shared.rules), seen)

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
        self._failures[label] = _Failure(again_at, wait_s, hosts, outcome.problem)
        shared.notice("restart-failed", {"label": label, "problem": outcome.problem})

    def _failure(self, label: str) -> _Failure:
        return self._failures.get(label, _Failure())

    async def _learn(self, label: str, newer: Record | None) -> None:
        epoch, _ = self._lost.get(label, (0, 0.0))
        if newer is None or newer.epoch > epoch:  # or it may be the very one that its owner was found to have lost
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
                    self._next_at = 0.0
            else:
                self._lost.pop(label, None)
