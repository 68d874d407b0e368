"""A daemon without rights: it starts, says what it cannot hold and what to do, and all the rest works."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.functional.running import handler, write_task
from tests.functional.serving import Serving
from tests.functional.unprivileged import programs, unprivileged

HELLO = handler("return new Response('hello');")
QUOTA: dict[str, Any] = {"cpu": {"quota": 0.2}}
EGRESS: dict[str, Any] = {"net": {"egress": "8mbit"}}
HOSTS: dict[str, str] = {"limits.cpu.quota": "cgroup", "limits.net.egress": "CAP_NET_ADMIN"}


def held(host: Serving) -> dict[str, Any]:
    """What it says of each limit."""
    return {each["limit"]: each for each in host.status()["enforces"]}


def test_it_starts_and_says_what_it_cannot_hold_and_what_to_do() -> None:
    with unprivileged() as host:
        told = held(host)
        for limit, missing in HOSTS.items():
            assert told[limit]["how"] is None
            assert missing in told[limit]["problem"]
            assert told[limit]["remedy"]
        for limit in ("cpu", "limits.net.ingress", "limits.net.connections"):  # these need no right
            assert told[limit]["how"], limit
        text = host.said("status")
        assert text.count("not held: ") == len(HOSTS)


@pytest.mark.parametrize(("limits", "field"), [(QUOTA, "limits.cpu.quota"), (EGRESS, "limits.net.egress")])
def test_a_limit_that_cannot_be_held_is_refused(limits: dict[str, Any], field: str) -> None:
    with programs() as folder, unprivileged() as host:
        done = host.cli("apply", write_task(folder, HELLO, name="shop", limits=limits), "--no-bundle")
        assert done.returncode == 2
        for part in (field, "this host cannot hold it", "remedy:", '`unenforced` to "warn"'):
            assert part in done.stderr
        assert host.json("ps") == []


def test_an_operator_may_have_it_accepted_with_a_warning() -> None:
    with programs() as folder, unprivileged(unenforced="warn") as host:
        file = write_task(folder, HELLO, name="shop", limits={**QUOTA, **EGRESS})
        host.said("apply", file, "--no-bundle")
        assert host.get("shop").text == "hello"
        for field in HOSTS:
            host.log.wait(lambda line, field=field: line["level"] == "warning" and field in str(line))  # type: ignore[misc]


def test_everything_else_works() -> None:
    with programs() as folder, unprivileged() as host:
        file = write_task(folder, HELLO, name="shop", cpu=0, limits={"net": {"ingress": "8mbit", "connections": 9}})
        host.said("apply", file)
        assert host.get("shop").text == "hello"
        before = host.status()["pid"]
        host.said("upgrade")
        host.wait(lambda: host.status()["pid"] != before, "another process")
        assert host.get("shop").text == "hello"
        host.said("rm", "shop", "--yes")
        assert host.json("ps") == []


def control_groups(process: int | str) -> list[list[str]]:
    """Its mounts of control groups: device, folder, kind, options."""
    lines = [line.split() for line in Path(f"/proc/{process}/mounts").read_text().splitlines()]
    return [words for words in lines if words[2] in ("cgroup", "cgroup2")]


def test_it_runs_without_any_right() -> None:
    """That the tests above test something, and change nothing of this machine's."""
    before = control_groups("self")
    with unprivileged() as host:
        status = dict(
            line.split(":\t", 1) for line in Path(f"/proc/{host.status()['pid']}/status").read_text().splitlines()
        )
        assert status["Uid"].split() == ["65534"] * 4
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
        groups = control_groups(host.status()["pid"])
        assert all("ro" in options.split(",") for _, _, _, options, *_ in groups)
        assert control_groups("self") == before
