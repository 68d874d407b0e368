"""What an event of the cluster says, and what keeps a task from booting."""

from __future__ import annotations

import asyncio
from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from supervisor.cluster.ports import BootFailed
from supervisor.errors import ListenError
from supervisor.host.cluster.cluster import Cluster, in_words
from supervisor.host.cluster.local import HostLocal
from supervisor.telemetry.journal import Journal
from tests.fakes.cluster import record


def test_an_event_says_what_happened_where_and_why() -> None:
    told = {"on": "h1", "epoch": "3", "past": "h3: it does not answer"}
    assert in_words("placed", told) == "cluster: placed: on h1, epoch 3, past h3: it does not answer"
    assert in_words("leaves", {}) == "cluster: leaves"


def test_a_message_and_its_remedy_are_on_one_line_of_the_log_and_of_an_event() -> None:
    journal = Journal(lambda: 0.0)
    cluster = cast(Any, SimpleNamespace(_happened=Counter(), _journal=journal))
    with capture_logs() as logged:
        Cluster._notice(cluster, "wake-failed", {"host": "h2", "problem": "no answer\n  see to its power\n"})
    (event,) = journal.recent(1)
    assert event.message == "cluster: wake-failed: host h2, problem no answer; see to its power"
    assert event.details["problem"] == logged[0]["problem"] == "no answer; see to its power"


async def test_what_keeps_a_host_from_booting_a_task_is_on_one_line() -> None:
    async def taken(label: str) -> None:
        await asyncio.sleep(0)
        raise ListenError("127.0.0.1:80", "not permitted", "choose another port")

    tasks = cast(Any, SimpleNamespace(resume=taken))
    nothing = cast(Any, None)
    local = HostLocal(nothing, tasks, nothing, nothing, nothing, nothing, nothing, lambda _: None)
    with pytest.raises(BootFailed, match="not permitted; choose another port"):
        await local.boot(record("shop"), [])
