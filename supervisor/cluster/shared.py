"""What the procedures of one host share: its view, its ledger, its ways to the world."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import Any

from supervisor.cluster.admission import Admission
from supervisor.cluster.agenda import Agenda
from supervisor.cluster.leases import Leases
from supervisor.cluster.ledger import Ledger
from supervisor.cluster.placement import FullMarks
from supervisor.cluster.ports import Chance, Local, Notice, Peers, Scheduler, Silent
from supervisor.cluster.promises import beats, given_up
from supervisor.cluster.rendezvous import Rendezvous
from supervisor.cluster.rules import Rules
from supervisor.cluster.values import HostState, Member, MemberState, Record, Version
from supervisor.cluster.view import View

CONFIRMED_S = 60.0  # within which a guardian asks a new owner whether it owns the task
FORGOTTEN = 10_000  # revisions at most that a host tried in vain before it started again: it does so once in a minute
TURN_S = 0.05  # how often somebody looks whether it is their turn: conflicts are rare


class Shared:
    """The parts, and the few things that change: `view`, `state`, what `runs` and what `boots` here. Loop thread."""

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
        order: Rendezvous | None = None,
        missed: Mapping[str, float] | None = None,
    ) -> None:
        """`order` may be shared by several hosts of one process. `missed`: image -> how many seconds ago."""
        self.me = me
        self.peers = peers
        self.local = local
        self.scheduler = scheduler
        self.chance = chance
        self.notice = notice
        self.rules = rules
        self.order = order or Rendezvous()
        self.view = View()
        self.state = HostState.STARTING
        self.room = True  # what this host says
        self.started = scheduler.now()
        # image -> until when this host does not go for it: it did, and came back without
        self.missed = {image: self.started + rules.update_again_s - ago for image, ago in (missed or {}).items()}
        self.ledger = Ledger(me, local)
        self.admission = Admission(me, local.capacity(), rules)
        self.full = FullMarks(rules)
        self.leases = Leases(rules)
        self.runs: set[str] = set()  # labels of the tasks that run here
        self.boots: dict[str, Version] = {}  # the tasks that are being booted here, and not owned yet
        # label -> since when it has been known that it is promised to another host: it does not come up before it is
        # clear; one that rather runs twice waits no longer than the other host has to place it.
        self.barred: dict[str, float] = {}
        # Strict ones that another host may have booted: this one goes on with them under a newer epoch only.
        self.offered: set[str] = set()
        self.audits = Agenda()  # hosts that are to be asked what they own
        self.tried: dict[str, int] = {}  # revisions that guardians were told and that are not this host's yet
        # label -> the epoch that it owned when it started: revisions that it tried before then are not known any more
        self.inherited: dict[str, int] = {}
        self.unaware: dict[str, dict[str, int]] = {}  # old owner -> tasks that have a newer record: label -> epoch
        self.doubts = Agenda()  # labels of the tasks whose guardians are to be asked
        # label -> the epoch that this host refused to boot, and will never run, and when that was; kept for a day
        self.given_up: dict[str, tuple[int, float]] = {}
        # label -> the epoch that this host claimed, to place the task or to go on with it; 0: none yet. Guardians take
        # its claims for those of the owner that it would be, so meanwhile it boots no other epoch, and claims no other.
        self.placing: dict[str, int] = {}
        # label -> the latest epoch that this host claimed, and when; kept for a day. Guardians would promise it again,
        # though it may be in use: a boot's answer was lost.
        self.claimed: dict[str, tuple[int, float]] = {}
        self._turns: set[str] = set()
        self._changes: set[str] = set()

    @property
    def now(self) -> float:
        """Monotonic seconds."""
        return self.scheduler.now()

    async def say(self, state: HostState, *, room: bool | None = None) -> None:
        """Publishes what changed of this host's state and room."""
        told = (self.state, self.room)
        self.state, self.room = state, self.room if room is None else room
        if told != (self.state, self.room):
            await self.local.tell(self.state, room=self.room)

    def audit_soon(self, host: str, within_s: float) -> None:
        """Has a host asked what it owns, if it should own anything that this one knows of."""
        if host != self.me and self.ledger.labels_of(host):
            self.audits.add(host, self.now + self.chance.uniform(within_s / 5, within_s))

    async def learn(self, record: Record) -> None:
        """Keeps a record that is newer; if it names another owner than before, that one is asked a little later.

        If it says that a task of this host has no owner, this host will tell its guardians that it has.
        """
        if self.ledger.owns(record.label) is not None and not record.owner and not record.removed:
            self.doubt(record.label)
            return
        record = self.as_known(record)
        before = self.ledger.record(record.label)
        await self.ledger.put(record, self.now)
        if before is not None:
            self.supersede(before, record)
        if before is None or before.epoch != record.epoch:
            self.audit_soon(record.owner, CONFIRMED_S)  # it may have failed to boot what it told its guardians of

    def as_known(self, record: Record) -> Record:
        """What a peer says of a task, but for what this host knows better: that it did not bring it up."""
        is_refused = record.owner == self.me and self.given_up.get(record.label, (0, 0.0))[0] == record.epoch
        return given_up(record) if is_refused else record

    async def give_up_epoch(self, label: str, epoch: int) -> None:
        """This host did not bring a task up, and will not run that epoch of it, whoever believes so."""
        self.given_up[label] = epoch, self.now
        have = self.ledger.record(label)
        if have is not None and self.as_known(have) is not have:
            await self.ledger.put(self.as_known(have), self.now)

    def supersede(self, before: Record, record: Record) -> None:
        """Has the owner of `before` told that `record` took its place: now, or when it comes back."""
        is_aware = before.epoch == record.epoch and before.owner == record.owner
        if not is_aware and before.owner not in ("", self.me):
            self.unaware.setdefault(before.owner, {})[record.label] = record.epoch
            self.tell_old_owner(before.owner)

    def tell_old_owner(self, owner: str) -> None:
        """Tells a host which of its tasks have newer records, if it is alive."""
        if self.view.is_alive(owner) and (epochs := self.unaware.pop(owner, None)):
            self.scheduler.start(self._retire(owner, epochs))

    async def take(self, newer: Record) -> None:
        """Keeps what another host knew better, unless this one learnt more meanwhile."""
        have = self.ledger.record(newer.label)
        if have is None or beats(newer, have, self.view):
            await self.learn(newer)

    def doubt_later(self, label: str, wait_s: float) -> None:
        """Has the guardians of a task asked so much later, if not sooner."""
        self.doubts.add(label, self.now + wait_s)

    def doubt(self, label: str, within_s: float = 0.0) -> None:
        """Has the guardians of a task asked some time within `within_s`, if not sooner."""
        self.doubt_later(label, self.chance.uniform(0, within_s) if within_s else 0.0)

    @contextmanager
    def claiming(self, label: str) -> Iterator[bool]:
        """While this host claims an epoch and uses it; False: it does so already, for another reason."""
        if label in self.placing:
            yield False
            return
        self.placing[label] = 0
        try:
            yield True
        finally:
            del self.placing[label]

    def has_claimed_in_vain(self, record: Record) -> bool:
        """Whether this host owns a task under an older epoch than it claimed."""
        return record.owner == self.me and self.claimed.get(record.label, (0, 0.0))[0] > record.epoch

    def next_revision(self, owned: Record) -> int:
        """One that no host has seen: a revision that some may have is never used for anything else."""
        tried = max(owned.revision, self.tried.get(owned.label, 0))
        if self.inherited.pop(owned.label, 0) == owned.epoch:
            tried += FORGOTTEN
        self.tried[owned.label] = tried + 1
        return tried + 1

    def turn(self, label: str) -> AbstractAsyncContextManager[None]:
        """One at a time changes what this host does with a task."""
        return self._alone(self._turns, label)

    def is_taken(self, label: str) -> bool:
        """Whether somebody has its turn."""
        return label in self._turns

    def change(self, label: str) -> AbstractAsyncContextManager[None]:
        """One at a time of this host's users changes a task, wherever it is."""
        return self._alone(self._changes, label)

    @asynccontextmanager
    async def _alone(self, labels: set[str], label: str) -> AsyncIterator[None]:
        while label in labels:
            await self.scheduler.sleep(TURN_S)
        labels.add(label)
        try:
            yield
        finally:
            labels.discard(label)

    async def ask[T](self, hosts: Iterable[str], call: Callable[[Member], Coroutine[Any, Any, T]]) -> dict[str, T]:
        """Asks hosts at the same time; those that are silent, or not seen alive, are not in the result."""
        members = [member for host in hosts if (member := self.member(host)) is not None]
        answers = await self.scheduler.together(*(_answer(call(member)) for member in members))
        return {member.id: answer[0] for member, answer in zip(members, answers, strict=True) if answer}

    def member(self, host: str) -> Member | None:
        """A host that may be asked: it is seen alive, or is this one."""
        member = self.view.get(host)
        if host == self.me and member is None:
            return Member(host, 0.0, "", MemberState.ALIVE, self.state, room=False, image="", since=self.started)
        return member if host == self.me or self.view.is_alive(host) else None

    async def _retire(self, owner: str, epochs: dict[str, int]) -> None:
        for label, epoch in epochs.items():
            member = self.member(owner)
            if member is not None:
                await _answer(self.peers.retire(member, label, epoch))


async def _answer[T](call: Coroutine[Any, Any, T]) -> tuple[T, ...]:
    try:
        return (await call,)
    except Silent:
        return ()
