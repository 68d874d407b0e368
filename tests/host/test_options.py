"""What a host's settings become for its parts."""

from __future__ import annotations

from supervisor.host.service import _core_options
from supervisor.spec.settings import HostSettings


def test_a_queue_without_bound_has_none() -> None:
    assert _core_options(HostSettings(queue=None)).pool.queue is None
    assert _core_options(HostSettings(queue=7)).pool.queue == 7
