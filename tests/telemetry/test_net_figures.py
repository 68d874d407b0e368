"""What the clients of tasks did, in metrics."""

from __future__ import annotations

from supervisor.telemetry.figures import TaskFigures, counts_of, summed
from supervisor.telemetry.metrics import text
from tests.telemetry.figures import host

BUSY = TaskFigures(
    "busy", "running", boots=1, ingress_bytes=5_000, answer_bytes=7_000, connections=2, connections_refused=3,
    ingress_paused_s=1.5,
)  # fmt: skip


def test_a_task_with_clients_has_them_all_and_one_that_never_ran_none() -> None:
    lines = text(host(BUSY, TaskFigures("silent", "idle"))).splitlines()
    found = [line for line in lines if "_connections" in line or "ingress" in line or "answer_bytes" in line]
    assert [line for line in found if line.startswith("isolated_task")] == [
        'isolated_task_connections{task="busy"} 2',
        'isolated_task_connections_refused_total{task="busy"} 3',
        'isolated_task_ingress_bytes_total{task="busy"} 5000',
        'isolated_task_ingress_paused_seconds_total{task="busy"} 1.5',
        'isolated_task_answer_bytes_total{task="busy"} 7000',
    ]


def test_counts_go_on_where_tasks_are_summed_and_when_one_is_gone() -> None:
    both = summed("other", [BUSY, BUSY])
    assert (both.ingress_bytes, both.connections, both.ingress_paused_s) == (10_000, 4, 3.0)
    gone = counts_of(BUSY)
    assert (gone.answer_bytes, gone.connections_refused, gone.connections) == (7_000, 3, 0)
