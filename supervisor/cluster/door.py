"""What this host answers to its peers: as the target of placements, as a guardian, as an owner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from supervisor.cluster.guardians import union
from supervisor.cluster.leasing import is_leased, renew, sources
from supervisor.cluster.moving import move_own
from supervisor.cluster.placing import Placed
from supervisor.cluster.ports import BootFailed, Started
from supervisor.cluster.promises import beats, given_up, judge_claim, judge_lease, judge_record
from supervisor.cluster.rollout import has_other_image
from supervisor.cluster.securing import end_copy, get_beyond, give_up
from supervisor.cluster.shared import Shared
from supervisor.cluster.shutdown import Grants, why_stay, why_wait
from supervisor.cluster.telling import tell
from supervisor.cluster.values import (
    Admitted,
    Booted,
    Claim,
    Full,
    HostState,
    Leased,
    Mode,
    Promised,
    Record,
    Refused,
    Revised,
    Version,
    Withheld,
)

BUNDLE_S = 2.0  # for which a guardian's answer waits for a bundle: its caller waits four
AGAIN_S = 5.0  # after a guardian did not get a bundle; then twice as long, up to
AGAIN_MOST_S = 60.0


class HostDoor:
    """The Door of one host. Loop thread."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._admitted: dict[str, tuple[float, Record, str]] = {}  # when, oldest first, what, and who asked
        self._fetching: dict[str, Started] = {}  # by label: what gets bundles that this host, a guardian, does not have
        self._is_closed = False
        self._grants = Grants(shared.rules)

    def close(self) -> None:
        """Gets no more bundles for what this host guards."""
        self._is_closed = True
        for started in self._fetching.values():
            started.cancel()
        self._fetching.clear()

    async def admit(self, record: Record, caller: str = "") -> Admitted | Full | Refused:
        """Reserves room for 10 s; refuses while this host starts or drains."""
        shared = self._shared
        if shared.state is not HostState.UP:
            return Refused(f"host {shared.me} is {shared.state}: it takes no new work")
        have = shared.ledger.record(record.label)
        if have is not None and beats(have, record, shared.view):
            return Refused(f"host {shared.me} knows that task {record.label} was removed or placed anew")
        answer = shared.admission.reserve(record.label, record.epoch, record.needs, shared.now)
        if isinstance(answer, Admitted):
            self._forget_expired()
            self._admitted.pop(record.label, None)
            self._admitted[record.label] = (shared.now, record, caller)
        return answer

    async def boot(self, label: str, epoch: int) -> Booted | Refused:
        """Tells the guardians, then boots: so nobody serves an epoch that was given to somebody else meanwhile.

        The bundle is here before anybody is told: guardians get it from this host. If the task does not come up they
        are told that, too, and believe in no lease of it.
        """
        shared = self._shared
        async with shared.turn(label):
            owned = shared.ledger.owns(label)
            if owned is not None and owned.epoch == epoch and label in shared.runs:
                return Booted()
            _, record, caller = self._admitted.pop(label, (0.0, None, ""))
            if record is None or record.epoch != epoch or not shared.admission.confirm(label, epoch, shared.now):
                return Refused(f"epoch {epoch} of task {label} was not admitted by {shared.me} within the last seconds")
            if shared.placing.get(label, epoch) != epoch:
                shared.admission.release(label)
                return Refused(f"host {shared.me} places task {label} itself at this moment")
            if shared.state is not HostState.UP:  # by now: it may be about to be switched off
                shared.admission.release(label)
                return Refused(f"host {shared.me} is {shared.state}: it takes no new work")
            shared.boots[label] = record.version
            try:
                refused = await self._come_up(record, caller)
            finally:
                del shared.boots[label]
            if refused is not None:
                await shared.give_up_epoch(label, epoch)
                await self._stay_as_before(label)
                await self._tell_given_up(record)
                return refused
            return Booted()

    async def _tell_given_up(self, record: Record) -> None:
        """To who guarded it before, this host maybe among them, and to who believes by now that it is here."""
        shared, gave_up = self._shared, given_up(record)
        await tell(shared, gave_up, and_to=record.guardians)
        if shared.me in union(gave_up):
            await shared.take(gave_up)

    async def guard(self, record: Record, caller: str = "") -> Withheld | None:
        """Keeps the record, whose word counts without the bundle; goes on to fetch one that does not come at once."""
        shared = self._shared
        withheld = judge_record(shared.ledger.entry(record.label), record, shared.view)
        if withheld is not None:
            return withheld
        is_new = shared.ledger.record(record.label) != record
        if is_new:
            await shared.learn(record)
        is_guardian = shared.me in record.guardians and not record.removed
        if is_guardian and record.bundle is not None:
            hosts = sources(shared, record, caller)
            if await shared.local.hold_bundle(record.bundle, hosts, BUNDLE_S) is not None:
                self._fetch_later(record.label)
        return None

    async def claim(self, claim: Claim) -> Promised | Withheld:
        """Promises an epoch once."""
        shared = self._shared
        entry = shared.ledger.entry(claim.label)
        answer = judge_claim(entry, claim, shared.now, shared.started, shared.rules)
        if isinstance(answer, Promised):
            await shared.ledger.promise(claim.label, claim.epoch, claim.claimant, shared.now)
        return answer

    async def lease(self, owner: str, held: Mapping[str, Version]) -> Leased:
        """Renews what is still the owner's."""
        shared = self._shared
        renewed, superseded = set[str](), dict[str, int]()
        for label, version in held.items():
            entry = shared.ledger.get(label)
            answer = None if entry is None else judge_lease(entry, owner, version)
            if entry is not None and answer is True:
                entry.leased_until = shared.now + shared.rules.lease_s
                entry.leased_to, entry.leased_epoch = owner, version.epoch
                renewed.add(label)
            elif answer is not None:
                superseded[label] = answer
        return Leased(frozenset(renewed), superseded)

    async def records(self) -> Mapping[str, Version]:
        """What this host owns or is about to."""
        owned = {record.label: record.version for record in self._shared.ledger.owned()}
        return owned | self._shared.boots

    async def retire(self, label: str, epoch: int) -> None:
        """Has the guardians asked at once; they know better than a caller who may be late."""
        record = self._shared.ledger.owns(label)
        if record is not None and record.epoch <= epoch:  # of one epoch, the newest host's record wins
            self._shared.doubt(label)

    async def grant(self, who: str) -> bool:
        """By this host's own view, and by what it granted already; not before what others granted is over, or seen."""
        shared = self._shared
        member = shared.view.get(who)
        if member is None or shared.now - shared.started < shared.rules.grant_s:
            return False
        gone = self._grants.open(shared.view, shared.now) - {who}
        updates = has_other_image(shared.view, member) and shared.view.alive[0].id != who
        rule = why_wait if updates else why_stay
        if rule(shared.view, member, shared.rules, gone=gone) is not None:
            return False
        self._grants.note(who, shared.now)
        return True

    async def find(self, label: str) -> Record | None:
        """What this host knows."""
        return self._shared.ledger.record(label)

    async def revise(self, record: Record, caller: str = "") -> Revised | Refused:
        """Changes, stops, moves or removes a task of this host. Nothing has changed if its new bundle cannot be had."""
        shared = self._shared
        owned = shared.ledger.owns(record.label)
        if owned is not None and record.bundle != owned.bundle:
            refused = await self._get_bundle(record, caller)  # not in the task's turn: its copy can end meanwhile
            if refused is not None:
                return refused
        async with shared.turn(record.label):
            owned = shared.ledger.owns(record.label)
            if owned is None:
                return Refused(f"host {shared.me} does not own task {record.label}")
            if record.version != (owned.epoch, owned.revision + 1):
                if record.epoch == owned.epoch:
                    get_beyond(shared, owned, record.revision - 1)
                return Refused(f"task {record.label} was changed meanwhile")
            may_stay = record.removed or record.needs.hosts is None or shared.me in record.needs.hosts
            numbered = replace(record, revision=shared.next_revision(owned))
            answer = await self._revise(owned, numbered) if may_stay else None
        return answer or await self._move(replace(record, revision=owned.revision))

    def _forget_expired(self) -> None:
        until = self._shared.now - self._shared.rules.reservation_s
        while self._admitted and (oldest := next(iter(self._admitted.items())))[1][0] < until:
            del self._admitted[oldest[0]]

    async def _get_bundle(self, record: Record, caller: str) -> Refused | None:
        """Why it is not here; None: it is, or there is none."""
        shared = self._shared
        if record.bundle is None:
            return None
        why = await shared.local.hold_bundle(record.bundle, sources(shared, record, caller))
        if why is None:
            return None
        return Refused(f"host {shared.me} could not get its bundle {record.bundle[:12]}: {why}")

    def _fetch_later(self, label: str) -> None:
        if label not in self._fetching and not self._is_closed:
            self._fetching[label] = self._shared.scheduler.start(self._fetch(label))

    async def _fetch(self, label: str) -> None:
        """Gets the bundle of a task that this host guards, later and later."""
        shared, wait_s = self._shared, AGAIN_S
        try:
            while True:
                await shared.scheduler.sleep(wait_s * shared.chance.uniform(0.5, 1.5))
                record = shared.ledger.record(label)
                if record is None or record.bundle is None or shared.me not in record.guardians:
                    return
                if await shared.local.hold_bundle(record.bundle, sources(shared, record)) is None:
                    return
                wait_s = min(AGAIN_MOST_S, 2 * wait_s)
        finally:
            self._fetching.pop(label, None)

    async def _move(self, wanted: Record) -> Revised | Refused:
        outcome = await move_own(self._shared, wanted)
        if isinstance(outcome, Placed):
            return Revised(outcome.record)
        return Refused(outcome.problem, outcome.cause)

    async def _revise(self, owned: Record, record: Record) -> Revised | Refused | None:
        """None: there is no room for it here."""
        shared = self._shared
        if not record.removed and not self._make_room(owned, record):
            return None
        told = await tell(shared, record)
        if told.newer is not None:
            shared.admission.insist(owned.label, owned.epoch, owned.needs)
            await give_up(shared, told.newer)
            return Refused(f"task {record.label} was placed anew meanwhile")
        await shared.ledger.put(record, shared.now)
        if record.removed:
            await end_copy(shared, record.label)
        if not told.is_done:
            shared.doubt(record.label)
        if not told.is_kept:
            return Refused(
                f"host {shared.me} has done it, but too few of the guardians of {record.label} know: apply it again"
            )
        if record.removed:
            return Revised(record)
        if record.mode is Mode.STRICT and owned.mode is not Mode.STRICT:
            await renew(shared, [record])
        if is_leased(shared, record):
            try:
                await shared.local.boot(record, sources(shared, record))
            except BootFailed as problem:
                return Refused(f"it is changed, and its change does not come up: {problem}", problem.cause)
            shared.runs.add(record.label)
        return Revised(record)

    def _make_room(self, owned: Record, record: Record) -> bool:
        """Whether there is room for the changed needs; what there was stays reserved if there is none."""
        shared = self._shared
        if record.needs == owned.needs:
            return True
        shared.admission.release(owned.label)
        answer = shared.admission.reserve(record.label, record.epoch, record.needs, shared.now)
        if isinstance(answer, Admitted):
            shared.admission.confirm(record.label, record.epoch, shared.now)
            return True
        shared.admission.insist(owned.label, owned.epoch, owned.needs)
        return False

    async def _come_up(self, record: Record, caller: str) -> Refused | None:
        """Why not; None: the task answers, and is this host's."""
        shared = self._shared
        refused = await self._get_bundle(record, caller)
        if refused is not None:
            return refused
        told = await tell(shared, record)
        if told.newer is not None or told.epoch > record.epoch:
            return Refused("it was placed elsewhere meanwhile")
        if record.mode is Mode.STRICT:
            await renew(shared, [record])
            if not told.is_known or not is_leased(shared, record):
                return Refused("its guardians did not give a lease")
        try:
            await shared.local.boot(record, sources(shared, record))
        except BootFailed as problem:
            return Refused(str(problem), problem.cause)
        if not is_leased(shared, record):  # the boot took longer than a lease
            await renew(shared, [record])
            if not is_leased(shared, record):
                await shared.local.stop(record.label)
                return Refused("its lease was over when it had come up")
        shared.runs.add(record.label)
        await shared.ledger.put(record, shared.now)
        if not told.is_done or record.previous:
            shared.doubt(record.label, 2.0)
        return None

    async def _stay_as_before(self, label: str) -> None:
        """A boot failed: what this host had of the task before counts again; if that is nothing, nothing is left."""
        shared = self._shared
        shared.leases.ended(label)
        shared.ledger.end_lease(label)
        shared.admission.release(label)
        owned = shared.ledger.owns(label)
        if owned is None:
            await shared.local.stop(label)
        else:
            shared.admission.insist(label, owned.epoch, owned.needs)
