"""What tasks sent under a limit, in metrics."""

from __future__ import annotations

from supervisor.telemetry.figures import TaskFigures, counts_of, summed
from supervisor.telemetry.metrics import text
from tests.telemetry.figures import host

LIMITED = TaskFigures("limited", "idle", egress_bytes=5_000, egress_drops=3)


def test_a_task_that_sent_under_a_limit_has_both_and_others_have_none() -> None:
    lines = text(host(LIMITED, TaskFigures("free", "idle"))).splitlines()
    assert [line for line in lines if line.startswith("isolated_task_egress")] == [
        'isolated_task_egress_bytes_total{task="limited"} 5000',
        'isolated_task_egress_drops_total{task="limited"} 3',
    ]


def test_they_count_where_tasks_are_summed_and_when_one_is_gone() -> None:
    both = summed("other", [LIMITED, LIMITED])
    assert (both.egress_bytes, both.egress_drops) == (10_000, 6)
    gone = counts_of(LIMITED)
    assert (gone.egress_bytes, gone.egress_drops) == (5_000, 3)
