"""An owner tells a task's guardians its record, and learns whether it still is the owner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from supervisor.cluster.guardians import agreed, quorums, union, upheld
from supervisor.cluster.promises import beats, judge_record
from supervisor.cluster.shared import Shared
from supervisor.cluster.values import Record, Withheld


@dataclass(frozen=True, slots=True)
class Told:
    """What the guardians said."""

    is_kept: bool  # half of them or more keep it; more than half, if this host claimed a newer epoch in vain
    is_known: bool  # more than half do: no owner of an older epoch is upheld any more
    is_heard: bool  # all that are seen answered; who is not is told when it comes back
    newer: Record | None  # the newest record that replaces it
    epoch: int  # the highest epoch that one of them knows; above the record's: promised, but no record yet

    @property
    def is_done(self) -> bool:
        """Whether nobody has to be told again."""
        return self.is_kept and self.is_heard


async def tell(shared: Shared, record: Record, *, and_to: Sequence[str] = ()) -> Told:
    """Sends `record` to its guardians, old and new, and to some more. This host, if it is one, is asked, too."""
    others = dict.fromkeys(host for host in (*union(record), *and_to) if host != shared.me)
    answers = await shared.ask(others, lambda member: shared.peers.guard(member, record))
    if shared.me in union(record):
        answers[shared.me] = judge_record(shared.ledger.entry(record.label), record, shared.view)
    withheld = [answer for answer in answers.values() if isinstance(answer, Withheld)]
    kept = {host for host, answer in answers.items() if answer is None}
    newer: Record | None = None
    for answer in withheld:
        if answer.newer is not None and beats(answer.newer, newer or record, shared.view):
            newer = answer.newer
    epoch = max((answer.epoch for answer in withheld), default=record.epoch)
    sets = quorums(record, shared.view, shared.now, shared.rules)
    # Guardians that promised an epoch to somebody else, and then one to this host, keep its records again. Who has the
    # other's record may still go on from that one: so more than half have to know of each change meanwhile.
    is_kept = (agreed if shared.has_claimed_in_vain(record) else upheld)(sets, kept)
    is_heard = all(host in answers for host in others if shared.member(host) is not None)
    return Told(is_kept, agreed(sets, kept), is_heard, newer, epoch)
