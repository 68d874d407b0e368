"""What a guardian may say: one claimant for each epoch, nothing older than what it promised, no claim under a lease.

A placement anew needs an epoch that most guardians promised to the claimant; an owner's change needs most guardians to
keep it. Any two majorities share a guardian, and that one refuses the second of two claims, and every change of an
epoch before the one that it promised. So an epoch is placed by one host, and no change that was acknowledged is lost.

A lease is a promise not to promise: until it is over, only the owner itself gets a newer epoch. A guardian forgets
leases when it starts again, so it then withholds the claims of strict tasks for the length of one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from supervisor.cluster.rules import Rules
from supervisor.cluster.values import Claim, Mode, Promised, Record, Version, Withheld
from supervisor.cluster.view import View

# A task that was removed and is applied again begins with the next multiple of this. Between two multiples a removal
# wins against any epoch: beyond a partition the task may be placed anew meanwhile.
LIFETIME = 1_000_000


@dataclass(slots=True)
class Entry:
    """What a host keeps of one task. Times are its monotonic seconds."""

    label: str
    record: Record | None = None
    promised: int = 0  # the highest epoch that was promised; 0: none
    claimant: str = ""
    promised_at: float = 0.0
    leased_until: float = 0.0
    leased_to: str = ""  # the owner that has the lease
    leased_epoch: int = 0  # and the epoch of which it is the owner

    @property
    def epoch(self) -> int:
        """The highest epoch that this host knows of."""
        return self.promised if self.record is None else max(self.promised, self.record.epoch)


def beats(one: Record, other: Record, view: View) -> bool:
    """Whether `one` replaces `other`: a later lifetime, a removal, the higher epoch, the newest host, the revision.

    Within an epoch, its owner's word that it does not have the task counts for more than any host's that has it.
    """
    if lifetime(one.epoch) != lifetime(other.epoch):
        return one.epoch > other.epoch
    if one.removed != other.removed:
        return one.removed
    if one.epoch != other.epoch:
        return one.epoch > other.epoch
    if one.owner != other.owner and (not one.owner or not other.owner):
        return not one.owner
    if one.owner != other.owner:
        return _booted(one.owner, view) > _booted(other.owner, view)
    return one.revision > other.revision


def given_up(record: Record) -> Record:
    """The record after its owner did not bring the task up: it is of no host, and under no lease.

    Nobody ever runs that epoch, so who guarded the task before goes on to, and alone.
    """
    guardians = record.previous or record.guardians
    return replace(record, revision=record.revision + 1, owner="", guardians=guardians, previous=())


def as_wanted(record: Record, wanted: Record) -> Record:
    """`record` with all that a user may change as in `wanted`."""
    return replace(
        record,
        settings=wanted.settings,
        bundle=wanted.bundle,
        wanted=wanted.wanted,
        needs=wanted.needs,
        mode=wanted.mode,
    )


def lifetime(epoch: int) -> int:
    """Between two removals of a task all its epochs are of one lifetime."""
    return epoch // LIFETIME


def judge_claim(entry: Entry, claim: Claim, now: float, started: float, rules: Rules) -> Promised | Withheld:
    """What a guardian that runs since `started` says to `claim`; the caller notes what was promised."""
    record = entry.record
    if record is not None and (claim.basis is None or record.version > claim.basis):
        return Withheld(record, entry.epoch)
    if record is not None and record.removed and lifetime(claim.epoch) == lifetime(record.epoch):
        return Withheld(record, entry.epoch)
    taken = claim.epoch == entry.promised and claim.claimant != entry.claimant
    if taken or claim.epoch < entry.epoch or (record is not None and claim.epoch <= record.epoch):
        return Withheld(None, entry.epoch)
    if record is not None and _is_under_lease(entry, record, claim.claimant, now, started, rules):
        return Withheld(None, entry.epoch)
    return Promised()


def judge_record(entry: Entry, record: Record, view: View) -> Withheld | None:
    """Whether a guardian keeps `record`; None: it does. A record that it has already it keeps again."""
    have = entry.record
    if have is not None and have.version != record.version and beats(have, record, view):
        return Withheld(have, entry.epoch)
    if have is not None and have.version == record.version and have.owner != record.owner:
        return Withheld(have, entry.epoch) if beats(have, record, view) else None
    # Who has the owner's own word knows what the owner changed.
    is_barred = entry.promised > record.epoch and entry.claimant != record.owner
    return Withheld(None, entry.epoch) if is_barred else None


def judge_lease(entry: Entry, owner: str, held: Version) -> bool | int | None:
    """True: renewed. A number: that epoch is newer. None: this guardian does not know, or not enough."""
    record = entry.record
    if record is None:
        return entry.promised if entry.promised > held.epoch else None
    if record.epoch > held.epoch:
        return record.epoch
    if entry.promised > held.epoch and entry.claimant != owner:
        return entry.promised
    return True if record.owner == owner and record.version == held else None


def _is_under_lease(entry: Entry, record: Record, claimant: str, now: float, started: float, rules: Rules) -> bool:
    """Whether somebody else than the claimant may run it; who has just started may have forgotten a lease."""
    if record.mode is not Mode.STRICT:
        return False
    if now < entry.leased_until and claimant != entry.leased_to:
        return True
    return now - started < rules.lease_s and claimant != record.owner


def _booted(host: str, view: View) -> tuple[float, str]:
    member = view.get(host)
    return (float("-inf") if member is None else member.boot_time, host)
