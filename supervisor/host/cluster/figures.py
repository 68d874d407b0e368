"""This host's part in its cluster, as figures for metrics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from supervisor.cluster.coordinator import Coordinator
from supervisor.cluster.membership import Membership
from supervisor.cluster.peers.calls import CallCount
from supervisor.cluster.values import HostState, Member, MemberState
from supervisor.telemetry.figures import CallFigures, ClusterFigures

STATES = (*HostState, MemberState.FAILED, MemberState.LEFT)


def figures_of(
    membership: Membership, part: Coordinator, happened: Mapping[str, int], calls: Mapping[str, CallCount]
) -> ClusterFigures:
    """As of now. Loop thread."""
    counts = part.counts()
    return ClusterFigures(
        hosts=_by_state(membership.members),
        is_current=membership.is_current,
        room=part.room,
        owned=counts.owned,
        guarded=counts.guarded,
        doubtful=counts.doubtful,
        happened=dict(happened),
        calls={what: CallFigures(each.answered, each.silent, each.seconds) for what, each in calls.items()},
    )


def _by_state(members: tuple[Member, ...]) -> dict[str, int]:
    """A state that no host is in is told, too: 0 hosts that failed is good news."""
    hosts = Counter({state.value: 0 for state in STATES})
    for member in members:
        hosts[(member.state if member.alive is MemberState.ALIVE else member.alive).value] += 1
    return dict(hosts)
