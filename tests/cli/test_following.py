"""logs and events: what is shown, and what a hand-over in between does to it."""

from __future__ import annotations

import functools
import json

import pytest

from supervisor.cli import code_of, following
from tests.fakes.control_api import ControlApi, Said, a_task, chunked, problem, said, unknown

LOGS = "/v1/tasks/shop/logs"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "FIRST_DELAY_S", 0.001)


def a_line(time: float, text: str, **more: object) -> dict[str, object]:
    return {"time": time, "level": "info", "source": "console", "text": text, "request": None} | more


def ndjson(*lines: dict[str, object]) -> list[str]:
    return [json.dumps(line) + "\n" for line in lines]


def sse(*numbers: int, task: str = "shop") -> Said:
    lines = []
    for number in numbers:
        event = {"number": number, "time": 1.0, "kind": "state", "task": task, "message": f"event\x1b {number}"}
        lines += [": keep-alive\n\n", f"id: {number}\nevent: state\ndata: {json.dumps(event)}\n\n"]
    return chunked(lines, mime="text/event-stream")


def test_logs(api: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [a_line(1.0, "one\x1b[2J\nforged"), a_line(2.0, "", level="error", source="host", request="r-1")]
    api.script("GET", LOGS, said({"lines": lines, "dropped": 3}))
    assert code_of(["logs", "shop", "-n", "5"]) == 0
    seen = capsys.readouterr()
    first, second = seen.out.splitlines()
    assert first.endswith(r":01.000 info    one\x1b[2J\nforged")
    assert second.split()[2:] == ["error", "isolated:", "[r-1]"]
    assert "3 lines before these are not kept" in seen.err
    assert api.asked[0].query == {"tail": "5"}


def test_logs_as_json(api: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    chunk = {"lines": [a_line(1.0, "one")], "dropped": 0}
    api.script("GET", LOGS, said(chunk), chunked(ndjson(a_line(1.0, "one"), a_line(2.0, "two"))), unknown("task shop"))
    assert code_of(["logs", "shop", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == chunk
    assert code_of(["logs", "shop", "--json", "-f"]) == 0
    assert [json.loads(line)["text"] for line in capsys.readouterr().out.splitlines()] == ["one", "two"]


@pytest.mark.parametrize("lines", ["-1", "1001", "many"])
def test_so_many_lines_are_not_kept(api: ControlApi, lines: str) -> None:
    assert code_of(["logs", "shop", "-n", lines]) == 2


def test_a_followed_log_goes_on_after_a_hand_over(api: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    """Lines that were told before come again with the tail, and are not told twice."""
    api.script(
        "GET", LOGS,
        chunked(ndjson(a_line(1, "one"), a_line(2, "two")), complete=False),
        problem(503, "refused", "the host hands over"),
        chunked(ndjson(a_line(1, "one"), a_line(2, "two"), a_line(3, "three"))),
        unknown("task shop"),
    )  # fmt: skip
    assert code_of(["logs", "-f", "shop"]) == 0
    seen = capsys.readouterr()
    assert [line.split()[-1] for line in seen.out.splitlines()] == ["one", "two", "three"]
    assert "shop was removed" in seen.err
    assert [each.query["tail"] for each in api.asked] == ["100", "1000", "1000", "1000"]
    assert all(each.query["follow"] == "true" for each in api.asked)


def test_a_log_of_odd_lines(api: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    api.script("GET", LOGS, chunked(["\n", "3\n", "{\n", '{"time": "x"}\n']), unknown("task shop"))
    assert code_of(["logs", "-f", "shop"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_events(api: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    api.script("GET", "/v1/events", sse(1, 2), sse(3), problem(500, "defect", "a defect"))
    assert code_of(["events"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[2] for line in lines] == ["1", "2", "3"]
    assert lines[0].endswith(r"state    shop event\x1b 1")
    assert [each.headers.get("last-event-id") for each in api.asked] == [None, "2", "3"]
    assert "after" not in api.asked[0].query


def test_events_after_a_number_and_of_a_task(api: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    api.script("GET", "/v1/events", sse(5), sse(6, task="other"), problem(500, "defect", "a defect"))
    assert code_of(["events", "--after", "4", "--task", "shop", "--json"]) == 1
    assert [json.loads(line)["number"] for line in capsys.readouterr().out.splitlines()] == [5]
    assert api.asked[0].query == {"after": "4"}


def test_a_host_that_does_not_come_back(api: ControlApi, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    impatient = functools.partial(following.following, sleep=slept.append, patience_s=1.0)
    monkeypatch.setattr("supervisor.cli.events.following", impatient)
    api.script("GET", "/v1/events", sse(1), *[problem(503, "refused", "drains")] * 100)
    assert code_of(["events"]) == 5
    assert sum(slept) >= 1.0


def test_an_interrupt_ends_it_quietly(
    api: ControlApi, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("supervisor.cli.events._show", interrupt)
    api.script("GET", "/v1/events", sse(1))
    assert code_of(["events"]) == 130
    assert capsys.readouterr().err.strip() == ""


def test_logs_of_a_task_that_is_not_there(api: ControlApi) -> None:
    api.tasks = {"shop": a_task("shop")}
    api.script("GET", LOGS, unknown("task shop"))
    assert code_of(["logs", "-f", "shop"]) == 3
