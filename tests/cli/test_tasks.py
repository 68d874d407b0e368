"""ps, get, stop, start, rm, blocked, release, status, drain, upgrade: over a server that speaks the control API."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from supervisor.cli import code_of, daemon
from supervisor.spec.views import HostView
from tests.fakes.control_api import ControlApi, a_task, problem, said

EXIT = {
    "time": 1.0e9, "reason": "heap-limit", "message": "too\x1b[2J much", "limit": 10.0,
    "measured": 11.5, "stack": "Error\n    at a.js:1\x07",
}  # fmt: skip
ISOLATE = {
    "state": "ready", "heapUsed": 2**20, "heapTotal": 2**21, "externalUsed": 512, "cpuS": 0.5,
    "requestsOpen": 3, "timers": 4,
}  # fmt: skip


def test_ps(api: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    api.tasks = {
        "shop": a_task("shop", isolate=ISOLATE, exits=[EXIT | {"time": time.time() - 3.5 * 3600}]),
        "7": a_task("7", state="backoff", waitS=4.5, listen=[]),
    }
    assert code_of(["ps"]) == 0
    head, shop, seven = capsys.readouterr().out.splitlines()
    assert head.split() == ["TASK", "STATE", "LISTEN", "HEAP", "CPU", "REQUESTS", "FAILED", "BOOTS", "LAST", "EXIT"]
    assert shop.split()[:6] == ["shop", "running", "127.0.0.1:3000", "1", "MiB", "250"]
    assert "heap-limit 3h ago" in shop
    assert seven.split()[:4] == ["7", "backoff", "4s", "-"]


def test_long_lines_are_whole_in_a_pipe(api: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    listen = [f"127.0.0.1:{port}" for port in range(3000, 3050)]
    api.tasks = {"shop": a_task("shop", listen=listen)}
    code_of(["ps"])
    assert " ".join(listen) in capsys.readouterr().out


def test_json_is_what_the_api_said(api: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    api.tasks = {"shop": a_task("shop", more="é")}
    api.blocks = [{"sources": "ab", "task": "shop"}]
    for arguments, value in (
        (["ps", "--json"], [api.tasks["shop"]]),
        (["get", "shop", "--json"], api.tasks["shop"]),
        (["blocked", "--json"], api.blocks),
        (["status", "--json"], api.status),
        (["stop", "shop", "--json"], api.tasks["shop"] | {"state": "stopped"}),
        (["start", "shop", "--json"], api.tasks["shop"]),
        (["upgrade", "--json"], {"pid": 8, "tasks": 3, "sockets": 4, "tookS": 0.5}),
        (["release", "shop", "--json"], api.blocks),
    ):
        assert code_of(arguments) == 0
        assert capsys.readouterr().out == json.dumps(value) + "\n"


def test_ids_alone(api: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    api.tasks = {"a": a_task("a"), "b": a_task("b")}
    assert code_of(["ps", "--ids"]) == 0
    assert capsys.readouterr().out == "a\nb\n"


def test_no_tasks(api: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(["ps"]) == 0
    seen = capsys.readouterr()
    assert seen.out == ""
    assert "isolated apply" in seen.err


def test_get_shows_all_of_a_task(api: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    api.tasks = {"shop": a_task("shop", isolate=ISOLATE, exits=[EXIT], waitS=2.0, spec={"env": {"A": "\u202e"}})}
    assert code_of(["get", "shop"]) == 0
    text = capsys.readouterr().out
    for part in (
        "running",
        "1 MiB of 2 MiB",
        "512 bytes outside",
        "3 requests, 4 timers",
        "boots again in",
        "heap-limit",
    ):
        assert part in text
    for part in (r"too\x1b[2J much", "  Error\n      at a.js:1\\x07", '"A": "\\u202e"'):
        assert part in text
    assert "\x1b" not in text


def test_get_shows_what_limits_of_traffic_did(api: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    net = {"received": 2**20, "sent": 2**21, "connections": 3, "refused": 4, "pausedS": 1.5}
    api.tasks = {
        "shop": a_task("shop", net=net, egress={"bytes": 3 * 2**20, "drops": 5, "waits": 6}),
        "free": a_task("free", net=net, egress=None),
    }
    assert code_of(["get", "shop"]) == 0
    rows = {line[:12].strip(): line[12:].strip() for line in capsys.readouterr().out.splitlines()}
    assert rows["connections"] == "3, 4 refused"
    assert rows["received"] == "1 MiB, 1.5 s held back"
    assert rows["answered"] == "2 MiB"
    assert rows["sent"] == "3 MiB with headers, 5 packets dropped, 6 times held back"
    assert code_of(["get", "free"]) == 0
    assert "with headers" not in capsys.readouterr().out


ODD = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
ODD_TASK = st.fixed_dictionaries({}, optional=dict.fromkeys(a_task(""), ODD))
ODD_HOST = st.fixed_dictionaries({}, optional=dict.fromkeys(HostView.model_json_schema()["properties"], ODD))


@settings(
    max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)
@given(task=ODD_TASK, host=ODD_HOST, lines=ODD)
def test_views_of_another_version_are_shown_as_far_as_they_go(
    api: ControlApi, task: dict[str, object], host: dict[str, object], lines: object
) -> None:
    api.tasks, api.status, api.blocks = {"shop": task}, host, [task]
    api.script("GET", "/v1/tasks/shop/logs", said({"lines": lines, "dropped": lines}))
    for arguments in (["ps"], ["get", "shop"], ["status"], ["stop", "shop"], ["blocked"], ["logs", "shop"]):
        assert code_of(arguments) == 0


@pytest.mark.parametrize("command", ["get", "stop", "start"])
def test_an_unknown_task_is_code_3(api: ControlApi, command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of([command, "nope"]) == 3
    assert "isolated: there is no task nope" in capsys.readouterr().err


@pytest.mark.parametrize("label", ["", "a/b", "..", "-x\0", "a b", "é"])
def test_what_can_be_no_id_is_code_2_and_not_even_asked(api: ControlApi, label: str) -> None:
    assert code_of(["get", "--", label]) == 2
    assert api.asked == []


def test_each_of_several_tasks_is_stopped(api: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    api.tasks = {"a": a_task("a"), "c": a_task("c", listen=[])}
    assert code_of(["stop", "a", "b", "c"]) == 3
    seen = capsys.readouterr()
    assert seen.out == "a: stopped, listens on 127.0.0.1:3000\nc: stopped\n"
    assert "there is no task b" in seen.err
    assert [task["state"] for task in api.tasks.values()] == ["stopped", "stopped"]


def test_the_gravest_code_of_several_counts(api: ControlApi) -> None:
    api.script("POST", "/v1/tasks/a/start", problem(503, "refused", "full"))
    assert code_of(["start", "a", "b"]) == 5


def test_rm_wants_a_yes(api: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    api.tasks = {"a": a_task("a")}
    assert code_of(["rm", "a"]) == 2
    assert "say --yes" in capsys.readouterr().err
    assert api.asked == []
    assert code_of(["rm", "a", "--yes"]) == 0
    assert api.tasks == {}
    assert code_of(["rm", "a", "-y"]) == 3


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, 0), ("n\n", 1, 1), ("", 130, 1)])
def test_rm_asks_on_a_terminal(
    api: ControlApi, monkeypatch: pytest.MonkeyPatch, answer: str, code: int, left: int
) -> None:
    import io

    api.tasks = {"a": a_task("a")}
    terminal = io.StringIO(answer)
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", terminal)
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _: _read(terminal))
    assert code_of(["rm", "a"]) == code
    assert len(api.tasks) == left


def _read(terminal: object) -> str:
    line = terminal.readline()  # type: ignore[attr-defined]
    if not line:
        raise EOFError
    return str(line).rstrip("\n")


def test_blocked_and_release(api: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(["blocked"]) == 0
    assert "nothing is blocked" in capsys.readouterr().err
    api.blocks = [
        {"sources": "ab" * 32, "task": "bad", "reason": "aborted", "since": time.time(), "until": time.time() + 3655}
    ]
    assert code_of(["blocked"]) == 0
    row = capsys.readouterr().out.splitlines()[1].split()
    assert (row[0], row[1], row[4], row[5]) == ("ab" * 8, "bad", "60m", "aborted")
    assert code_of(["release", "abababab"]) == 0
    assert capsys.readouterr().out == f"bad: released {'ab' * 8}\n"
    assert code_of(["release", "bad"]) == 3


def test_status(api: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    api.status = {
        "pid": 7, "version": "1.2", "started": 0.0, "state": "ready", "tasks": {"running": 3, "idle": 0, "blocked": 1},
        "limits": {
            "memory": {"used": 2**20, "limit": None, "refused": 0},
            "isolates": {"used": 3, "limit": 2000, "refused": 4},
        },
        "rss": 2**30, "accounted": 2**29, "parked": 2, "faults": 1, "loopLagS": 0.002, "handovers": 5,
        "advice": ["raise vm.max_map_count\x1b"],
        "enforces": [
            {"limit": "limits.cpu.quota", "how": "cgroup v2 at /sys/fs/cgroup/isolated", "problem": "", "remedy": ""},
            {"limit": "limits.net.egress", "how": None, "problem": "no CAP_NET_ADMIN\x1b", "remedy": "be root"},
            {"limit": "cpu"},
        ],
    }  # fmt: skip
    assert code_of(["status"]) == 0
    text = capsys.readouterr().out
    held = [line.split(maxsplit=1) for line in text.splitlines() if line.startswith(("limits.", "cpu"))]
    assert held == [
        ["limits.cpu.quota", "cgroup v2 at /sys/fs/cgroup/isolated"],
        ["limits.net.egress", "not held: no CAP_NET_ADMIN\\x1b; be root"],
        ["cpu", "not held: no reason given"],
    ]
    for part in ("3 running, 1 blocked", "1 GiB, of it 512 MiB", "2 threads, 1 of them by faults", "2 ms", "unlimited"):
        assert part in text
    assert ["isolates", "3", "2000", "4"] in [line.split() for line in text.splitlines()]
    assert "advice: raise vm.max_map_count\\x1b" in text


def test_status_and_hosts_say_what_keeps_a_host_from_its_cluster(
    api: ControlApi, capsys: pytest.CaptureFixture[str]
) -> None:
    api.status = {"state": "ready", "host": "h2", "cluster": "nobody answers at h1\x1b"}
    api.script("GET", "/v1/hosts", said([{"host": "h2", "alive": "alive", "state": "up"}]))
    assert code_of(["status"]) == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    assert ["but", "nobody answers at h1\\x1b"] in lines
    assert code_of(["hosts"]) == 0
    assert "this host may not see the others: nobody answers at h1\\x1b" in capsys.readouterr().err


def test_what_keeps_a_host_from_its_cluster_and_its_remedy_are_lines_of_their_own(
    api: ControlApi, capsys: pytest.CaptureFixture[str]
) -> None:
    api.status = {"state": "ready", "host": "h2", "cluster": "it has another key\n  give all hosts the same\x1b"}
    api.script("GET", "/v1/hosts", said([{"host": "h2", "alive": "alive", "state": "up"}]))
    assert code_of(["status"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    at = lines.index(["but", "it", "has", "another", "key"])
    assert lines[at + 1] == ["give", "all", "hosts", "the", "same\\x1b"]
    assert code_of(["hosts"]) == 0
    told = "isolated: this host may not see the others: it has another key\n  give all hosts the same\\x1b\n"
    assert capsys.readouterr().err == told


def test_what_keeps_a_task_from_running_is_told(api: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    api.tasks = {"a": a_task("a", state="pending", exits=[], problem="it waits\x1b")}
    assert code_of(["ps"]) == 0
    row = capsys.readouterr().out.splitlines()[1]
    assert row.split()[1] == "pending"
    assert row.endswith("it waits\\x1b")
    assert code_of(["get", "a"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[lines.index(["state", "pending"]) + 1] == ["but", "it", "waits\\x1b"]


def test_get_names_the_host(api: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    api.tasks = {"a": a_task("a", host="h7")}
    assert code_of(["get", "a"]) == 0
    assert ["host", "h7"] in [line.split() for line in capsys.readouterr().out.splitlines()]


def test_drain(api: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(["drain"]) == 0
    assert [each.method for each in api.asked] == ["POST"]
    assert "the host drains" in capsys.readouterr().out


def test_drain_waits_for_the_process_to_go(api: ControlApi, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "POLL_S", 0.01)
    busy = problem(503, "refused", "it drains")
    api.script("GET", "/v1/status", said({"pid": 7}), busy, said({"pid": 7}), said({"pid": 8}))
    assert code_of(["drain", "--wait"]) == 0
    assert len(api.wanted("GET", "/v1/status")) == 4


def test_upgrade(
    api: ControlApi, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert code_of(["upgrade"]) == 0
    assert capsys.readouterr().out == "handed over 3 tasks and 4 sockets to process 8 in 500 ms\n"
    monkeypatch.chdir(tmp_path)
    (tmp_path / "isolated").touch(0o755)
    assert code_of(["upgrade", "./isolated"]) == 0
    assert [each.value for each in api.asked] == [{"binary": None}, {"binary": str(tmp_path / "isolated")}]


@pytest.mark.parametrize("binary", ["/nope", "/etc/passwd", "/bin"])
def test_upgrade_to_what_is_no_program(api: ControlApi, binary: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of(["upgrade", binary]) == 2
    assert "BINARY: there is no such program" in capsys.readouterr().err
    assert api.asked == []


def test_an_upgrade_that_failed(api: ControlApi, capsys: pytest.CaptureFixture[str]) -> None:
    api.script("POST", "/v1/upgrade", problem(502, "handover-failed", "the successor died:\n  no room"))
    assert code_of(["upgrade"]) == 1
    assert "isolated: the successor died:\n  no room" in capsys.readouterr().err


def test_a_host_that_is_not_there_is_code_4(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (["ps"], ["events"], ["logs", "-f", "a"], ["drain"], ["upgrade"], ["rm", "-y", "a"]):
        assert code_of([*arguments, "--host", str(tmp_path / "none")]) == 4
        assert "no host answers" in capsys.readouterr().err


def test_ps_needs_neither_models_nor_loops(api: ControlApi) -> None:
    api.tasks = {"shop": a_task("shop", exits=[EXIT])}
    program = (
        "import sys\nfrom supervisor.cli import code_of\n"
        "for line in (['ps'], ['get', 'shop'], ['status']): code_of(line)\n"
        "print([name for name in ('pydantic', 'structlog', 'json5', 'aiohttp', 'asyncio', 'supervisor.engine')"
        " if name in sys.modules], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr == "[]\n"


def completions(words: str) -> list[str]:
    arguments = words.split(" ")
    environment = {"_ISOLATED_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(arguments) - 1)}
    command = [sys.executable, "-m", "supervisor"]
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stderr == ""
    return [line for line in done.stdout.splitlines() if line]


def test_ids_are_completed(api: ControlApi) -> None:
    api.tasks = {"shop": a_task("shop"), "shed": a_task("shed"), "api": a_task("api"), "x y": a_task("x y")}
    assert completions("isolated get sh") == ["plain,shop", "plain,shed"]
    assert completions("isolated stop shop ") == ["plain,shed", "plain,api"]
    assert completions("isolated logs --follow a") == ["plain,api"]


def test_completion_is_silent_where_no_host_answers(api: ControlApi) -> None:
    assert completions("isolated get --host /nope s") == []
    assert completions("isolated get --host nonsense s") == []
    api.script("GET", "/v1/tasks", said({}))
    assert completions("isolated get s") == []
