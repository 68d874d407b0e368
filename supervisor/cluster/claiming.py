"""Asks a task's guardians for the next epoch: who has it from most of them, and nobody else, may place it anew."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.cluster.guardians import agreed, quorums, union
from supervisor.cluster.promises import beats
from supervisor.cluster.shared import Shared
from supervisor.cluster.values import Claim, Promised, Record, Withheld

ROUNDS = 3
PAUSE_S = 0.5  # at most, between two rounds: whoever claims at the same time draws another one


@dataclass(frozen=True, slots=True)
class Claimed:
    """The epoch is this host's."""

    epoch: int


@dataclass(frozen=True, slots=True)
class Lost:
    """It is not. `newer`: because there is a newer record than the one that was to be replaced."""

    newer: Record | None
    problem: str


async def claim(shared: Shared, base: Record, *, above: int = 0) -> Claimed | Lost:
    """Claims an epoch above that of `base` and `above`, and none twice. `base` with epoch 0 stands for a new task."""
    above = max(above, base.epoch, shared.claimed.get(base.label, (0, 0.0))[0])
    for _ in range(ROUNDS):
        above = max(above, shared.ledger.promised(base.label))  # what it promised it takes from nobody
        shared.claimed[base.label] = above + 1, shared.now
        if shared.ledger.owns(base.label) is not None:
            await shared.ledger.promise(base.label, above + 1, shared.me, shared.now)  # it outlives this process
        asked = Claim(base.label, above + 1, shared.me, base.version if base.epoch else None)
        answers = await _ask(shared, base, asked)
        withheld = [answer for answer in answers.values() if isinstance(answer, Withheld)]
        newer = _newest([each.newer for each in withheld if each.newer is not None], shared)
        if newer is not None:
            return Lost(newer, "it was changed or placed meanwhile")
        yes = [host for host, answer in answers.items() if isinstance(answer, Promised)]
        if agreed(quorums(base, shared.view, shared.now, shared.rules), yes):
            return Claimed(asked.epoch)
        known = max((each.epoch for each in withheld), default=0)
        if known < asked.epoch:
            return Lost(None, f"only {len(yes)} of its guardians ({', '.join(union(base))}) agree")
        above = known
        await shared.scheduler.sleep(shared.chance.uniform(0, PAUSE_S))
    return Lost(None, "another host places it at this moment")


async def _ask(shared: Shared, base: Record, asked: Claim) -> dict[str, Promised | Withheld]:
    return await shared.ask(union(base), lambda member: shared.peers.claim(member, asked))


def _newest(records: list[Record], shared: Shared) -> Record | None:
    newest: Record | None = None
    for record in records:
        if newest is None or beats(record, newest, shared.view):
            newest = record
    return newest
