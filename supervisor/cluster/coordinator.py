"""One host's part in the cluster: it owns the procedures, and repeats them until they are done.

start() once, on_members() with every change of the view, the Door for the peers' calls, apply(), find() and remove()
for users, drain(), leave() or close() at the end. It does nothing to the world but through its ports. Loop thread.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from supervisor.cluster import applying, finding
from supervisor.cluster.door import HostDoor
from supervisor.cluster.going_home import GoingHome
from supervisor.cluster.guardians import chosen, union
from supervisor.cluster.leasing import may_run, renew
from supervisor.cluster.moving import hand_over_guarding, move_all
from supervisor.cluster.placing import NotPlaced, Placed
from supervisor.cluster.ports import BootFailed, Chance, Door, Local, Notice, Peers, Scheduler, Started
from supervisor.cluster.rendezvous import Rendezvous
from supervisor.cluster.restart import rank_of
from supervisor.cluster.restarting import AUDIT_WITHIN_S, Restarting
from supervisor.cluster.returning import ask_for_own
from supervisor.cluster.righting import Righting
from supervisor.cluster.rollout import presumed, rests_for_newer
from supervisor.cluster.room import has_room
from supervisor.cluster.routed import Routed
from supervisor.cluster.rules import Rules
from supervisor.cluster.securing import AGAIN_MOST_S, AGAIN_S, secure
from supervisor.cluster.shared import Shared
from supervisor.cluster.values import HostState, Member, Mode, Record
from supervisor.cluster.view import View, changes
from supervisor.cluster.waking import Spares

SECURED_AT_A_TIME = 16
SEEN_BY_ALL_S = 30.0  # hosts that see each other again after a partition do so within 15 s; and a call takes seconds
TURN_AGAIN_S = 1.0
TOLD = 10  # labels of tasks in one notice
RETURN_JITTER_S = 3.0  # when many hosts came back at once, their tasks are not all asked about in the same second


@dataclass(frozen=True, slots=True)
class Counts:
    """How many tasks are this host's matter."""

    owned: int
    guarded: int  # for other hosts
    doubtful: int  # owned ones whose guardians are to be asked


@dataclass(frozen=True, slots=True)
class Stranded:
    """A task that is on no host that is seen."""

    record: Record
    problem: str  # why it could not be placed anew; empty: that was not tried yet


class Coordinator:
    """The cluster's rules at work on one host."""

    def __init__(
        self,
        me: str,
        *,
        peers: Peers,
        local: Local,
        scheduler: Scheduler,
        chance: Chance,
        notice: Notice,
        rules: Rules,
        spares: Sequence[str] = (),
        order: Rendezvous | None = None,
        stays_s: float = 0.0,
        missed: Mapping[str, float] | None = None,
    ) -> None:
        """`spares`: ids of hosts that may be started; `order`: shared, if one process has many hosts.

        `stays_s`: this host does not go home for so long. `missed`: images that it started again for and did not get,
        and how many seconds ago it went; None: it does not know.
        """
        routed = Routed(me, peers)
        self._shared = Shared(
            me,
            peers=routed,
            local=local,
            scheduler=scheduler,
            chance=chance,
            notice=notice,
            rules=rules,
            order=order,
            missed=missed,
        )
        self._door = HostDoor(self._shared)
        routed.door = self._door
        self._restarting = Restarting(self._shared)
        self._righting = Righting(self._shared)
        self._knows_missed = missed is not None
        self._going = GoingHome(self._shared, stays_s)
        self._spares = Spares(spares, rules)
        self._running: list[Started] = []
        self._retries: dict[str, float] = {}
        self._guarding_seen: frozenset[str] = frozenset()
        self._guarding_since = self._shared.now  # who may guard is the same
        self._not_chosen_since = self._shared.now
        self._is_chosen = False
        self._is_securing = False
        self._waiting: set[str] = set()  # labels of strict tasks without a lease, as was told
        self._came: set[str] = set()  # hosts that came back lately
        self._came_at = 0.0

    @property
    def door(self) -> Door:
        """What answers to the peers; from start() on."""
        return self._door

    @property
    def state(self) -> HostState:
        """What this host says about itself."""
        return self._shared.state

    @property
    def view(self) -> View:
        """Who is there."""
        return self._shared.view

    def records(self) -> list[Record]:
        """The tasks that this host owns."""
        return list(self._shared.ledger.owned())

    @property
    def is_gone(self) -> bool:
        """Whether it has left the cluster on its way home, or is about to."""
        return self._going.is_gone

    @property
    def room(self) -> bool:
        """Whether this host says that it has room."""
        return self._shared.room

    def counts(self) -> Counts:
        """Goes through all that the host guards: for figures, not for decisions."""
        shared = self._shared
        guarded = sum(record.exists for record in shared.ledger.guarded())
        return Counts(len(shared.ledger.labels_of(shared.me)), guarded, len(shared.doubts))

    def stranded(self) -> list[Stranded]:
        """The tasks on no host that is seen, of whose guardians this one is the first. Goes through all it guards."""
        shared = self._shared
        return [
            Stranded(record, self._restarting.problem(record.label))
            for record in shared.ledger.guarded()
            if record.exists and not shared.view.is_alive(record.owner) and rank_of(record, shared.view, shared.me) == 0
        ]

    def waiting(self) -> list[Record]:
        """The strict tasks of this host that do not run before they have a lease; none that moves."""
        shared = self._shared
        labels = sorted(shared.ledger.strict - shared.runs - shared.placing.keys())
        return [record for label in labels if not may_run(shared, label) and (record := shared.ledger.owns(label))]

    def bundles(self) -> set[str]:
        """Digests of the bundles that this host's tasks and those that it guards need."""
        return self._shared.ledger.bundles()

    async def start(self) -> None:
        """Finds out which tasks are still this host's, boots those, and takes part from then on.

        The view should be known by then. Takes up to about ten seconds, if guardians do not answer.
        """
        shared = self._shared
        self._presume_missed()
        await shared.ledger.load(shared.now)
        owned = list(shared.ledger.owned())
        for record in owned:
            shared.inherited[record.label] = record.epoch
            self._remember_claim(record)
            shared.admission.insist(record.label, record.epoch, record.needs)
        await shared.local.tell(HostState.STARTING, room=shared.room)
        if owned:
            await ask_for_own(shared)
        for period_s, duty in self._duties():
            self._running.append(shared.scheduler.start(self._repeat(period_s, duty)))
        for host in list(shared.ledger.owners()):
            shared.audit_soon(host, AUDIT_WITHIN_S)  # nobody comes back that was there before this host
        await shared.say(HostState.UP)

    def _presume_missed(self) -> None:
        """What this host went for was kept in memory, or never: it cannot know what else it would get."""
        shared = self._shared
        image = "" if self._knows_missed else presumed(shared.view, shared.me)
        if image:
            shared.missed[image] = shared.now + shared.rules.update_again_s

    def on_members(self, members: Iterable[Member] | View) -> None:
        """Something changed: hosts came, went, or say something else than before."""
        shared = self._shared
        before = shared.view
        shared.view = members if isinstance(members, View) else View(members)
        news = changes(before, shared.view)
        if not news.came:
            return
        for host in sorted(news.came):
            shared.audit_soon(host, AUDIT_WITHIN_S)
            shared.tell_old_owner(host)
        self._ask_guardians(news.came, RETURN_JITTER_S)
        self._came |= news.came
        self._came_at = shared.now

    async def apply(self, wanted: Record) -> Placed | NotPlaced:
        """Places a task, or changes it; its version, owner and guardians do not matter."""
        return await applying.apply(self._shared, wanted)

    async def find(self, label: str) -> Record | None:
        """The task's newest record, tombstones included; None: nobody knows it."""
        return await finding.find(self._shared, label)

    async def remove(self, label: str) -> Placed | NotPlaced | None:
        """Ends a task for good; None: there is no such task."""
        return await applying.remove(self._shared, label)

    async def drain(self, within_s: float) -> dict[str, str]:
        """Takes no more work and moves all tasks away; returns those that stay, and why. resume() undoes it."""
        self._going.is_held = True
        await self._shared.say(HostState.DRAINING)
        return await move_all(self._shared, self._shared.now + within_s)

    async def resume(self) -> None:
        """Takes part again."""
        self._going.is_held = False
        await self._shared.say(HostState.UP)

    async def leave(self, within_s: float) -> dict[str, str]:
        """Drains, has others guard what this host guards, says goodbye; returns the tasks that found no other host.

        Whatever goes wrong before, it says goodbye: the others wait less long for a host that did. `still-needed` tells
        of strict tasks that found no other guardian: without this host they may not be placed again.
        """
        shared = self._shared
        if self._going.is_gone:  # it went home, and is being switched off
            await self.close()
            return {}
        try:
            await self.drain(within_s)
            if needed := await hand_over_guarding(shared):
                shared.notice("still-needed", {"labels": ", ".join(needed[:TOLD]), "strict-tasks": len(needed)})
            stayed = await move_all(shared, shared.now)  # what came up meanwhile: its boot was under way
        except Exception:
            await self._say_goodbye()
            raise
        await self._say_goodbye()
        return stayed

    async def _say_goodbye(self) -> None:
        await self.close()
        await self._shared.local.leave()

    async def close(self) -> None:
        """Ends all that repeats. Tasks and what peers know stay as they are."""
        for started in self._running:
            started.cancel()
        self._running.clear()
        self._door.close()

    def _remember_claim(self, record: Record) -> None:
        """This host claimed an epoch for a task that it owns, and ended before it used it, or knew that it was used."""
        shared, entry = self._shared, self._shared.ledger.entry(record.label)
        if entry.claimant != shared.me or entry.promised <= record.epoch:
            return
        shared.claimed[record.label] = entry.promised, shared.now
        if record.mode is Mode.STRICT:
            shared.offered.add(record.label)
        shared.doubt(record.label)

    def _duties(self) -> Iterable[tuple[float, Callable[[], Awaitable[None]]]]:
        rules = self._shared.rules
        return (
            (1.0, self._look),
            (rules.lease_s / 4, self._renew),
            (5.0, self._going.look),
            (rules.audit_s, self._audit),
        )

    async def _repeat(self, period_s: float, duty: Callable[[], Awaitable[None]]) -> None:
        shared = self._shared
        await shared.scheduler.sleep(period_s * shared.chance.random())
        while not self._going.is_gone:
            try:
                await duty()
            except Exception as defect:  # noqa: BLE001 - leases have to be renewed whatever else is wrong
                shared.notice("defect", {"error": repr(defect)})
            await shared.scheduler.sleep(period_s * shared.chance.uniform(0.9, 1.1))

    async def _look(self) -> None:
        """Starts what is due, and waits for nothing: what may take long must not delay what must not wait."""
        self._righting.look()
        self._restarting.look()
        self._restarting.audit()
        self._choose_guardians()
        self._ask_again()
        self._say_room()
        self._say_who_waits()
        self._wake()
        if not self._is_securing and self._shared.doubts.is_due(self._shared.now):
            self._is_securing = True
            self._shared.scheduler.start(self._secure())

    async def _renew(self) -> None:
        shared = self._shared
        strict = [record for record in map(shared.ledger.owns, sorted(shared.ledger.strict - shared.offered)) if record]
        if strict:
            await renew(shared, strict)

    async def _secure(self) -> None:
        """Asks about the tasks in doubt, some at a time; those that stay in doubt again, later and later."""
        try:
            while batch := self._in_doubt():
                done = await self._shared.scheduler.together(*(secure(self._shared, label) for label in batch))
                for label, is_done in zip(batch, done, strict=True):
                    self._retry(label, is_done=is_done)
        finally:
            self._is_securing = False

    def _in_doubt(self) -> list[str]:
        """Some that are due, without those whose turn somebody has: a boot may take long, and no other waits for it."""
        shared = self._shared
        found: list[str] = []
        while len(found) < SECURED_AT_A_TIME and (due := shared.doubts.take(shared.now, 1)):
            if shared.is_taken(due[0]):
                shared.doubt_later(due[0], TURN_AGAIN_S)
            else:
                found += due
        return found

    def _retry(self, label: str, *, is_done: bool) -> None:
        shared = self._shared
        if is_done:
            self._retries.pop(label, None)
            return
        wait_s = self._retries[label] = min(AGAIN_MOST_S, 2 * self._retries.get(label, AGAIN_S / 2))
        shared.doubt_later(label, wait_s * shared.chance.uniform(0.5, 1.5))

    def _ask_guardians(self, among: AbstractSet[str], within_s: float) -> None:
        for record in self._shared.ledger.owned():
            if not among.isdisjoint(record.guardians) or not among.isdisjoint(record.previous):
                self._retries.pop(record.label, None)
                self._shared.doubt(record.label, within_s)

    def _ask_again(self) -> None:
        """Hosts that came back may not have seen this one at first, and place its tasks anew after they were asked."""
        if self._came and self._shared.now - self._came_at >= SEEN_BY_ALL_S:
            self._ask_guardians(self._came, SEEN_BY_ALL_S / 2)
            self._came.clear()

    def _choose_guardians(self) -> None:
        """When nobody came or went for a while, tasks whose guardians are not the chosen ones any more are in doubt."""
        shared, rules, now = self._shared, self._shared.rules, self._shared.now
        guarding = shared.view.guarding
        before, self._guarding_seen = self._guarding_seen, guarding
        if guarding is not before and guarding != before:
            self._guarding_since = now
            if self._is_chosen:
                self._not_chosen_since, self._is_chosen = now, False
            if guarding - before:
                self._fill_up(len(guarding))
        is_settled = now - self._guarding_since >= rules.settle_s or now - self._not_chosen_since >= rules.settle_most_s
        if self._is_chosen or not is_settled:
            return
        self._is_chosen = True
        for record in shared.ledger.owned():
            if record.guardians != chosen(record.label, shared.view, shared.order, rules, owner=shared.me):
                shared.doubt(record.label, RETURN_JITTER_S)

    def _fill_up(self, guarding: int) -> None:
        """A task with fewer guardians than there could be gets the others at once: one loss may be too many."""
        shared = self._shared
        could_be = min(shared.rules.guardians, guarding - 1)
        for record in shared.ledger.owned():
            if len(record.guardians) < could_be:
                shared.doubt(record.label, RETURN_JITTER_S)

    async def _audit(self) -> None:
        """Asks about everything: nothing seemed to happen, but something may have been missed."""
        shared = self._shared
        for record in shared.ledger.owned():
            shared.doubt(record.label, shared.rules.audit_s / 2)
        for host in list(shared.ledger.owners()):
            shared.audit_soon(host, shared.rules.audit_s / 2)
        for host in [host for host in shared.unaware if host not in shared.view.members]:
            del shared.unaware[host]
        for kept in (shared.given_up, shared.claimed):
            for label in [label for label, (_, at) in kept.items() if shared.now - at >= shared.rules.tombstone_s]:
                del kept[label]
        await shared.ledger.sweep(shared.now, shared.rules)

    def _say_room(self) -> None:
        shared = self._shared
        room = has_room(shared.room, shared.admission.share_left, shared.rules)
        me = shared.view.get(shared.me)
        if me is not None and rests_for_newer(shared.view, me, shared.now, shared.rules, shared.missed):
            room = False
        if room is not shared.room:
            shared.scheduler.start(self._tell_room(room=room))

    def _say_who_waits(self) -> None:
        """Once when it begins: it may be for long, and nobody did anything to the task."""
        waiting = {record.label: record for record in self.waiting() if record.wanted}
        for label in sorted(waiting.keys() - self._waiting):
            self._shared.notice("waits-for-lease", {"label": label, "guardians": ", ".join(union(waiting[label]))})
        self._waiting = set(waiting)

    async def _tell_room(self, *, room: bool) -> None:
        """Says no more than that: the state may be another one by now."""
        await self._shared.say(self._shared.state, room=room)

    def _wake(self) -> None:
        spare = self._spares.choose(self._shared.view, self._shared.me, self._shared.now)
        if spare is not None:
            self._shared.scheduler.start(self._start_spare(spare))

    async def _start_spare(self, spare: str) -> None:
        shared = self._shared
        shared.notice("wakes", {"host": spare})
        try:
            await shared.local.wake_spare(spare)
        except BootFailed as problem:
            self._spares.failed(spare)
            shared.notice("wake-failed", {"host": spare, "problem": str(problem)})
