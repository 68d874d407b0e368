"""The lives of isolates and tasks: every state, every event."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.pool.states import (
    ISOLATE_TRANSITIONS,
    TASK_TRANSITIONS,
    IllegalTransition,
    IsolateEvent,
    IsolateState,
    Life,
    TaskEvent,
    TaskState,
    isolate_life,
    task_life,
)

TABLES: list[tuple[Mapping[Any, Any], type[Enum], type[Enum]]] = [
    (ISOLATE_TRANSITIONS, IsolateState, IsolateEvent),
    (TASK_TRANSITIONS, TaskState, TaskEvent),
]
EVERY_CASE = [(table, state, event) for table, states, events in TABLES for state, event in product(states, events)]


@pytest.mark.parametrize(("table", "state", "event"), EVERY_CASE, ids=lambda each: getattr(each, "name", "table"))
def test_an_event_leads_where_the_table_says_or_raises_and_changes_nothing(
    table: Mapping[Any, Any], state: Enum, event: Enum
) -> None:
    life: Life[Any, Any] = Life(table, state)
    if (state, event) in table:
        assert life.on(event) is table[state, event] is life.state
    else:
        with pytest.raises(IllegalTransition, match=str(event)):
            life.on(event)
        assert life.state is state


def test_lives_begin_where_they_should() -> None:
    assert isolate_life().state is IsolateState.CREATED
    assert task_life().state is TaskState.PENDING


@pytest.mark.parametrize(("table", "states", "_"), TABLES)
def test_every_state_can_be_reached(table: Mapping[Any, Any], states: type[Enum], _: object) -> None:
    start = IsolateState.CREATED if states is IsolateState else TaskState.PENDING
    reached: set[Enum] = {start}
    while more := {to for (begin, _), to in table.items() if begin in reached} - reached:
        reached |= more
    assert reached == set(states)


@pytest.mark.parametrize("end", [IsolateState.STOPPED, IsolateState.PARKED])
def test_nothing_happens_to_an_isolate_that_is_over(end: IsolateState) -> None:
    assert not [event for state, event in ISOLATE_TRANSITIONS if state is end]


@pytest.mark.parametrize("state", [state for state in IsolateState if state.name not in ("STOPPED", "PARKED")])
def test_an_isolate_may_end_at_any_time(state: IsolateState) -> None:
    assert ISOLATE_TRANSITIONS[state, IsolateEvent.EXITED] is IsolateState.STOPPED
    assert ISOLATE_TRANSITIONS[state, IsolateEvent.PARKED] is IsolateState.PARKED


@pytest.mark.parametrize("state", [state for state in TaskState if state is not TaskState.STOPPED])
def test_a_task_may_be_stopped_at_any_time(state: TaskState) -> None:
    assert TASK_TRANSITIONS[state, TaskEvent.STOPPED] is TaskState.STOPPED


@given(st.lists(st.sampled_from(TaskEvent)))
def test_a_task_is_served_only_after_a_boot(events: list[TaskEvent]) -> None:
    life = task_life()
    before = life.state
    for event in events:
        try:
            after = life.on(event)
        except IllegalTransition:
            assert life.state is before
            continue
        if after is TaskState.RUNNING:
            assert (before, event) == (TaskState.PENDING, TaskEvent.BOOTED)
        before = after


@given(st.lists(st.sampled_from(IsolateEvent)))
def test_an_isolate_serves_only_after_its_boot_and_never_again_once_it_drains(events: list[IsolateEvent]) -> None:
    life = isolate_life()
    path = [life.state]
    for event in events:
        try:
            path.append(life.on(event))
        except IllegalTransition:
            assert life.state is path[-1]
    seen = [state for state, before in zip(path[1:], path, strict=False) if state is not before]
    order = list(IsolateState)
    assert seen == sorted(seen, key=order.index), "an isolate never goes back"
