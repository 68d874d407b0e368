"""The daemon: what was applied is there, after a stop, a crash and a hand-over too."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import socket
from pathlib import Path

import pytest

from tests.functional.running import ask, handler, run, write_task
from tests.functional.serving import Serving, Traffic

WALL = {"cpu": {"wall": "5s"}}
HELLO = handler("return new Response('hello');")
COUNT = handler("return new Response(String(globalThis.n = (globalThis.n ?? 0) + 1));")
DEAF = handler(
    "if (request.url.endsWith('/deaf')) Array.prototype.indexOf.call({length: 2 ** 53 - 1}, 1);"
    "return new Response('ok');"
)


def test_a_task_is_applied_changed_stopped_started_and_removed(tmp_path: Path) -> None:
    file = write_task(tmp_path / "app", HELLO, name="shop")
    with Serving(tmp_path / "host") as host:
        assert host.json("apply", file, "--no-bundle")["change"] == "created"
        assert host.get("shop").text == "hello"
        assert host.json("apply", file, "--no-bundle")["change"] == "unchanged"
        port = host.port("shop")

        file = write_task(tmp_path / "app", HELLO.replace("hello", "changed"), name="shop", limits=WALL)
        plan = host.json("apply", file, "--no-bundle", "--dry-run")
        assert (plan["change"], plan["fields"], plan["restarts"]) == ("changed", ["limits.cpu.wall"], True)
        assert host.get("shop").text == "hello", "a plan changes nothing"
        assert host.json("apply", file, "--no-bundle")["change"] == "changed"
        assert host.get("shop").text == "changed"
        assert host.port("shop") == port
        assert host.task("shop")["revision"] == 2

        host.said("stop", "shop")
        assert host.task("shop")["state"] == "stopped"
        with pytest.raises(ConnectionRefusedError):
            ask(port)
        host.said("start", "shop")
        assert host.get("shop").text == "changed"
        host.said("rm", "shop", "--yes")
        assert host.json("ps") == []
        assert host.cli("get", "shop").returncode == 3


def test_what_was_applied_is_back_after_a_stop_and_after_a_crash(tmp_path: Path) -> None:
    with Serving(tmp_path / "host") as host:
        for name in ("one", "two", "three"):
            host.said("apply", write_task(tmp_path / name, HELLO, name=name), "--no-bundle")
        host.said("stop", "three")
        host.said("rm", "two", "--yes")
        assert host.stop() == 0
        host.begin()
        assert [(task["task"], task["state"]) for task in host.json("ps")] == [("one", "idle"), ("three", "stopped")]
        assert host.get("one").text == "hello"
        host.kill()
        host.begin()
        assert host.get("one").text == "hello"
        assert host.task("three")["wanted"] is False


def test_files_of_a_bundle_need_not_exist_any_more(tmp_path: Path) -> None:
    source = "import {text} from './text.js';" + handler("return new Response(text);")
    file = write_task(tmp_path / "app", source, name="shop")
    (tmp_path / "app" / "text.js").write_text("export const text = 'bundled'")
    with Serving(tmp_path / "host") as host:
        host.said("apply", file)
        shutil.rmtree(tmp_path / "app")
        assert host.get("shop").text == "bundled"
        host.kill()
        host.begin()
        assert host.get("shop").text == "bundled"


def test_an_idle_task_keeps_its_port_and_boots_with_the_next_request(tmp_path: Path) -> None:
    with Serving(tmp_path / "host") as host:
        host.said("apply", write_task(tmp_path / "app", COUNT, name="shop", idle="200ms"), "--no-bundle")
        assert host.get("shop").text == "1"
        host.wait(lambda: host.task("shop")["state"] == "idle", "idle")
        assert host.status()["limits"]["isolates"]["used"] == 0
        assert host.get("shop").text == "1", "a fresh isolate"
        assert host.task("shop")["boots"] >= 2


def test_a_task_that_does_not_start_changes_nothing(tmp_path: Path) -> None:
    with Serving(tmp_path / "host") as host:
        host.said("apply", write_task(tmp_path / "app", HELLO, name="shop"), "--no-bundle")
        broken = write_task(tmp_path / "app", "throw new Error('broken')", name="shop", args=["new"])
        done = host.cli("apply", broken, "--no-bundle")
        assert done.returncode == 1
        assert "broken" in done.stderr
        assert host.get("shop").text == "hello"
        assert host.task("shop")["revision"] == 1
        taken = write_task(tmp_path / "other", HELLO, name="other", listen=[f"127.0.0.1:{host.port('shop')}"])
        done = host.cli("apply", taken, "--no-bundle")
        assert done.returncode == 1
        assert "in use" in done.stderr
        assert [task["task"] for task in host.json("ps")] == ["shop"]


def test_hand_overs_fail_no_request(tmp_path: Path) -> None:
    with Serving(tmp_path / "host") as host:
        host.said("apply", write_task(tmp_path / "app", HELLO, name="shop"), "--no-bundle")
        host.said("apply", write_task(tmp_path / "sleeper", HELLO, name="sleeper"), "--no-bundle")
        port = host.port("shop")
        with Traffic(port, "hello") as traffic:
            for number in (1, 2):
                before = host.status()["pid"]
                host.said("upgrade")
                status = host.status()
                assert status["pid"] != before
                assert status["handovers"] == number
            os.kill(host.process.pid, signal.SIGUSR2)  # whoever started the first process knows only that one
            host.wait(lambda: host.status()["handovers"] == 3, "a third hand-over")
        assert traffic.wrong == []
        assert traffic.answers > 100
        assert host.port("shop") == port
        assert host.get("sleeper").text == "hello"


def test_a_task_whose_settings_do_not_hold_after_a_hand_over_keeps_no_client_waiting(tmp_path: Path) -> None:
    with Serving(tmp_path / "host") as host:
        host.said("apply", write_task(tmp_path / "app", HELLO, name="shop"), "--no-bundle")
        port = host.port("shop")
        shutil.rmtree(tmp_path / "app")
        host.said("upgrade")
        task = host.task("shop")
        assert (task["state"], task["listen"]) == ("stopped", [])

        def is_refused() -> bool:
            with socket.socket() as client:
                return client.connect_ex(("127.0.0.1", port)) == errno.ECONNREFUSED

        host.wait(is_refused, "nothing listens there any more")


def test_a_successor_that_fails_leaves_the_host_as_it_was(tmp_path: Path) -> None:
    with Serving(tmp_path / "host") as host:
        host.said("apply", write_task(tmp_path / "app", COUNT, name="shop"), "--no-bundle")
        assert host.get("shop").text == "1"
        pid = host.status()["pid"]
        done = host.cli("upgrade", "/bin/false")
        assert done.returncode == 1
        assert "goes on" in done.stderr
        assert host.status()["pid"] == pid
        assert host.get("shop").text == "2", "the same isolate"
        assert "the hand-over failed" in host.log.text


def test_a_parked_thread_past_the_threshold_leads_to_a_hand_over_by_itself(tmp_path: Path) -> None:
    with Serving(tmp_path / "host", handoverParked=1) as host:
        host.said("apply", write_task(tmp_path / "fine", HELLO, name="fine"), "--no-bundle")
        host.said("apply", write_task(tmp_path / "deaf", DEAF, name="deaf"), "--no-bundle")
        with Traffic(host.port("fine"), "hello") as traffic:
            assert host.get("deaf", "/deaf").problem["reason"] == "unresponsive"
            host.wait(lambda: host.status()["handovers"] == 1, "a hand-over")
            assert host.status()["parked"] == 0
            assert host.get("deaf").problem["reason"] == "blocked"
            assert host.json("blocked")[0]["task"] == "deaf"
            host.said("release", "deaf")
            assert host.get("deaf").text == "ok"
        assert traffic.wrong == []


def test_two_hosts_cannot_share_their_state(tmp_path: Path) -> None:
    with Serving(tmp_path / "host") as host:
        done = run("serve", "--config", host.config, "--socket", str(tmp_path / "other.sock"))
        assert done.returncode == 1
        assert "state" in done.stderr
        assert host.status()["state"] == "ready"


def test_the_folder_of_the_control_socket_is_made(tmp_path: Path) -> None:
    with Serving(tmp_path / "host", socket_folder="run") as host:
        assert host.status()["state"] == "ready"
    assert not host.socket.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="has no capabilities to give up")
def test_rights_that_are_not_needed_are_given_up(tmp_path: Path) -> None:
    with Serving(tmp_path / "host") as host:
        status = Path(f"/proc/{host.status()['pid']}/status").read_text()
        held = int(next(line for line in status.splitlines() if line.startswith("CapEff")).split()[1], 16)
        assert held & ~(1 << 2 | 1 << 10 | 1 << 12 | 1 << 23) == 0
        host.said("apply", write_task(tmp_path / "app", HELLO, name="shop"), "--no-bundle")
        assert host.get("shop").text == "hello"


def test_a_program_without_a_handler_is_told_as_that_and_backs_off(tmp_path: Path) -> None:
    with Serving(tmp_path / "host") as host:
        file = write_task(tmp_path / "app", HELLO, name="shop")
        host.said("apply", file, "--no-bundle")
        host.said("apply", write_task(tmp_path / "app", HELLO, name="shop", idle="1s"), "--no-bundle")
        host.wait(lambda: host.task("shop")["state"] == "idle", "it is idle")
        (tmp_path / "app" / "main.mjs").write_text("export default {};")
        port = host.port("shop")
        told = [ask(port) for _ in range(8)]  # the delay doubles: a slow machine meets it too
        assert {answer.status for answer in told} == {503}
        assert "no-handler" in told[0].text
        assert any("backoff" in answer.text for answer in told)
        ends = host.task("shop")["exits"]
        assert {end["reason"] for end in ends[:2]} == {"no-handler"}
        refused = host.cli("apply", write_task(tmp_path / "other", "export default {};", name="other"), "--no-bundle")
        assert refused.returncode == 1
        assert "handles no requests" in refused.stderr


def test_values_of_the_environment_are_not_told_and_still_compared(tmp_path: Path) -> None:
    env = {"TOKEN": "hunter2"}
    file = write_task(tmp_path / "app", handler("return new Response(env.TOKEN);"), name="shop", env=env)
    with Serving(tmp_path / "host") as host:
        host.said("apply", file, "--no-bundle")
        assert host.task("shop")["spec"]["env"] == {"TOKEN": "…"}
        assert "hunter2" not in host.said("get", "shop")
        assert host.json("apply", file, "--no-bundle")["change"] == "unchanged"
        text = file.read_text()
        file.write_text(text.replace("hunter2", "hunter3"))
        assert host.json("apply", file, "--no-bundle", "--dry-run")["fields"] == ["env"]
        assert host.json("apply", file, "--no-bundle")["change"] == "changed"
        host.kill()
        host.begin()
        assert host.get("shop").text == "hunter3", "what is kept is the value"
        assert "hunter" not in host.log.text
