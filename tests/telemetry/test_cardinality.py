"""Metrics name so many tasks; counters of the others never go down."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from supervisor.telemetry.cardinality import OTHER, NamedTasks
from supervisor.telemetry.figures import TaskFigures
from supervisor.telemetry.metrics import text
from tests.telemetry.figures import host, task


def asleep(name: str, requests: int = 0) -> TaskFigures:
    return TaskFigures(name, "idle", requests)


def names(told: list[TaskFigures]) -> list[str]:
    return [figures.task for figures in told]


def test_all_are_named_as_long_as_there_is_room() -> None:
    tasks = [task("a"), task("b")]
    assert NamedTasks(2).of(tasks) == tasks


def test_the_rest_is_one_sum() -> None:
    *_, other = told = NamedTasks(1).of([task("a"), task("b"), task("c", failures={"backoff": 5})])
    assert names(told) == ["a", OTHER]
    assert other.state is None
    assert (other.requests, other.boots, other.cpu_s, other.heap_used, other.open) == (20, 6, 0.5, 2000, 2)
    assert other.failures == {"heap-limit": 1, "queue-full": 2, "backoff": 5}
    assert other.exits == {"idle": 2, "heap-limit": 2}


def test_a_task_keeps_its_place() -> None:
    """A task whose counters wandered between its own name and the sum would make both jump."""
    named = NamedTasks(2)
    named.of([asleep("b"), asleep("c"), asleep("d")])
    assert names(named.of([asleep("a"), asleep("b"), asleep("c"), asleep("d")])) == ["b", "c", OTHER]
    assert names(named.of([asleep("a"), asleep("c"), asleep("d")])) == ["c", OTHER]
    assert names(named.of([asleep("new"), asleep("a"), asleep("c"), asleep("d")])) == ["new", "c", OTHER]


def test_what_unnamed_tasks_did_stays_when_they_are_gone() -> None:
    named = NamedTasks(1)
    named.of([task("a"), task("b"), task("c")])
    *_, other = named.of([task("a")])
    assert (other.requests, other.boots, other.exits) == (20, 6, {"idle": 2, "heap-limit": 2})
    assert (other.heap_used, other.open) == (0, 0)  # nobody has that any more
    *_, again = named.of([task("a"), task("b", requests=1)])
    assert again.requests == 21


def test_a_task_of_that_very_name_is_in_the_sum() -> None:
    told = NamedTasks(10).of([task(OTHER), task("a")])
    assert names(told) == ["a", OTHER]
    assert told[1].state is None


def test_a_thousand_and_more_stay_within_bounds() -> None:
    told = NamedTasks().of([task(f"t{number}") for number in range(1500)])
    assert len(told) == 1001
    lines = text(host(*told)).splitlines()
    assert len({line.partition('task="')[2].partition('"')[0] for line in lines if 'task="' in line}) == 1001
    assert 'isolated_task_requests_total{task="other"} 5000' in lines


LIVES = st.lists(st.dictionaries(st.sampled_from("abcdef"), st.integers(0, 5)), max_size=12)


@given(LIVES, st.integers(0, 4))
def test_the_sum_never_goes_down_and_nothing_is_counted_twice(rounds: list[dict[str, int]], most: int) -> None:
    """Each round tells which tasks are there and how many requests each took since the last one."""
    named, counters, before, ever = NamedTasks(most), dict[str, int](), 0, 0
    for present in rounds:
        counters = {name: counters.get(name, 0) + more for name, more in present.items()}
        ever += sum(present.values())
        told = {figures.task: figures for figures in named.of(asleep(*item) for item in counters.items())}
        other = told.pop(OTHER, TaskFigures(OTHER, None)).requests
        assert other >= before
        assert len(told) <= most
        assert all(figures.requests == counters[name] for name, figures in told.items())
        assert other + sum(figures.requests for figures in told.values()) <= ever
        unnamed = sum(count for name, count in counters.items() if name not in told)
        assert other >= unnamed
        before = other
