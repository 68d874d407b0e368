"""cgroup v2 for real, in an emulated machine: the kernel, the layer over cgroupspy, the groups, and the daemon itself.

The guest's clock counts instructions, so that shares are what its kernel gave, however busy this machine is.
"""

from __future__ import annotations

import pytest

from tests.limits.v2.guest import Results, parts, results

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
__all__ = ["parts", "results"]
FIFTH = pytest.approx(0.2, abs=0.03)


def test_the_kernel_does_what_the_layer_relies_on(results: Results) -> None:
    assert results["threaded"] == {"parent": "domain threaded", "born": "domain invalid"}
    slow, free = results["raw quota"]["shares"]
    assert slow == FIFTH
    assert free > 0.5


def test_groups_are_threaded_and_their_quotas_are_kept_and_changed_live(results: Results) -> None:
    assert results["layer"] == {"parent": "domain threaded", "types": ["threaded", "threaded"]}
    found = results["layer quotas"]
    slow, free = found["at_20"]
    assert slow == FIFTH
    assert free > 0.5
    assert found["at_50"][0] == pytest.approx(0.5, abs=0.03)
    assert found["throttled_s"] > 0
    assert found["free_s"] == 0


def test_weights_share_a_core(results: Results) -> None:
    one, three = results["layer weights"]["shares"]
    assert three / one == pytest.approx(3, abs=0.3)


def test_what_a_killed_process_left_is_removed_at_start(results: Results) -> None:
    found = results["leftovers"]
    assert len(found["before"]) == 5  # its own, that of all without a quota, and three with one
    assert len(found["after"]) == 2
    assert not set(found["before"]) & set(found["after"])
    assert found["how"] == "cgroup v2 at /sys/fs/cgroup/groups"


def test_two_spinning_threads_one_with_a_quota(results: Results) -> None:
    found = results["groups"]
    slow, free = found["shares"]
    assert slow == FIFTH
    assert free > 0.5
    assert found["own"] == "domain threaded"
    assert found["throttled_s"] > 0
    assert found["free"] is None


def test_a_hundred_groups_come_and_go_with_their_threads(results: Results) -> None:
    found = results["many"]
    assert (found["there"], found["waiting"], found["left"]) == (100, 100, 0)


def test_the_daemon_holds_a_task_to_its_quota(results: Results) -> None:
    assert results["status"]["quota"]["how"] == "cgroup v2 at /sys/fs/cgroup/isolated.service"
    free, slow = results["daemon quota"]["shares"]  # the busiest threads of the process
    assert slow == FIFTH
    assert free > 0.5
    assert any(name.endswith("-slow") for name in results["daemon quota"]["groups"])
    assert results["get"]["throttledS"] > 0


def test_the_daemon_ends_in_good_order(results: Results) -> None:
    assert results["ended"]["code"] == 0
    assert results["ended"]["groups"] == []
