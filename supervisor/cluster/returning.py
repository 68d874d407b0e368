"""A host that starts with tasks of before asks their guardians whether they are still its own, before it serves them.

It waits ten seconds at most. Alone, or in a minority, it then goes on with what it has, except for strict tasks, which
need a lease: those come up when it has one.
"""

from __future__ import annotations

from supervisor.cluster.leasing import renew
from supervisor.cluster.securing import give_up
from supervisor.cluster.shared import Shared
from supervisor.cluster.telling import tell
from supervisor.cluster.values import Mode, Record

AT_A_TIME = 16
AGAIN_S = 1.0


async def ask_for_own(shared: Shared) -> None:
    """Gives up what has a newer record, and bars what was promised to somebody else until that is clear."""
    until = shared.now + shared.rules.ask_s
    open_ones = [record.label for record in shared.ledger.owned()]
    while open_ones and shared.now < until:
        left: list[str] = []
        for start in range(0, len(open_ones), AT_A_TIME):
            batch = open_ones[start : start + AT_A_TIME]
            sure = await shared.scheduler.together(*(_is_sure(shared, label) for label in batch))
            left += [label for label, is_sure in zip(batch, sure, strict=True) if not is_sure]
        open_ones = left
        if open_ones:
            await shared.scheduler.sleep(AGAIN_S)
    for label in open_ones:
        shared.doubt(label, 5.0)
    await renew(shared, [record for record in shared.ledger.owned() if record.mode is Mode.STRICT])


async def _is_sure(shared: Shared, label: str) -> bool:
    record: Record | None = shared.ledger.owns(label)
    if record is None:
        return True
    async with shared.turn(label):
        told = await tell(shared, record)
        if told.newer is not None:
            await give_up(shared, told.newer)
        elif told.epoch > record.epoch:
            shared.barred[label] = shared.now
            shared.doubt(label)
        return told.newer is not None or told.is_kept or label in shared.barred
