"""When a task is placed anew because its owner is gone, and by whom.

The owner has been failed for more than the grace, or said goodbye and left it behind, or says that it does not have it.
The first guardian that is alive does it; each further one waits longer, in case those before it cannot. Who sees
another one's claim leaves it some time. A task whose boot failed has no owner: whoever placed it has as long to try
elsewhere, or to undo it.
"""

from __future__ import annotations

from supervisor.cluster.guardians import union
from supervisor.cluster.promises import Entry
from supervisor.cluster.rules import Rules
from supervisor.cluster.values import MemberState, Record
from supervisor.cluster.view import View


def is_due(entry: Entry, view: View, me: str, now: float, rules: Rules, *, lost_since: float | None) -> bool:
    """Whether this host places the task anew now."""
    at = due_at(entry, view, me, rules, lost_since=lost_since)
    return at is not None and now >= at


def due_at(entry: Entry, view: View, me: str, rules: Rules, *, lost_since: float | None) -> float | None:
    """When this host places the task anew; None: not as things are. `lost_since`: when its owner was found to have
    lost it."""
    record = entry.record
    if record is None or not record.exists or record.owner == me:
        return None
    since = gone_at(record.owner, view, rules) if lost_since is None else lost_since
    if since is None:
        return None
    rank = rank_of(record, view, me)
    return None if rank is None else max(since + rank * rules.stagger_s, _taken_until(entry, view, me, rules))


def gone_at(host: str, view: View, rules: Rules) -> float | None:
    """From when on an owner counts as gone; None: it does not."""
    owner = view.get(host)
    if owner is None:
        return float("-inf")  # forgotten by the cluster since long
    if owner.alive is MemberState.FAILED:
        return owner.since + rules.grace_s
    return owner.since + rules.left_s if owner.alive is MemberState.LEFT else None


def rank_of(record: Record, view: View, me: str) -> int | None:
    """How many guardians that are alive come before this host; None: it guards nothing."""
    alive = [host for host in union(record) if host == me or view.is_alive(host)]
    return alive.index(me) if me in alive else None


def _taken_until(entry: Entry, view: View, me: str, rules: Rules) -> float:
    record = entry.record
    assert record is not None
    is_there = entry.claimant == me or view.is_alive(entry.claimant)
    if not record.owner and entry.promised == record.epoch:
        return entry.promised_at + rules.takeover_s if is_there else float("-inf")
    if entry.promised <= record.epoch or entry.claimant == me or not is_there:
        return float("-inf")
    return entry.promised_at + rules.takeover_s
