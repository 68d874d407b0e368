"""What is asked of a daemon while it starts, hands over or stops."""

from __future__ import annotations

import contextlib
import itertools
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.functional.running import PATIENCE_S, handler, write_task
from tests.functional.serving import Serving

HELLO = handler("return new Response('hello');")
ECHO = handler("return new Response(await request.text());")
JOB = "console.log('job began'); setInterval(() => {}, 1000);"
DONE = "console.log('job done'); process.exit(0);"
BODY = 200_000  # bytes
WITHOUT_END = {"cpu": {"wall": "10m"}}


HANGS = (
    "import flag from './flag.json' with { type: 'json' };"
    "if (flag.hangs) await new Promise(() => { setInterval(() => {}, 1000); });" + HELLO
)


def flagged(folder: Path, name: str, **settings: Any) -> Path:
    """A task that boots at once, until hang() is called for its folder."""
    file = write_task(folder, HANGS, name=name, limits=WITHOUT_END, **settings)
    (folder / "flag.json").write_text('{"hangs": false}')
    return file


def hang(folder: Path) -> None:
    """From now on its program does not come to the end of its boot."""
    (folder / "flag.json").write_text('{"hangs": true}')


@contextlib.contextmanager
def held_request(port: int) -> Iterator[socket.socket]:
    """A request that is answered as soon as its body is sent, which is longer than what the host keeps back."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as client:
        client.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % BODY)
        yield client


def begun(host: Serving) -> int:
    """How often a job began, in whichever process."""
    return sum("job began" in line["event"] for line in host.log.lines)


def test_a_host_that_stops_changes_nothing_and_hands_nothing_over(tmp_path: Path) -> None:
    with Serving(tmp_path / "host", drain="5m") as host:
        host.said("apply", write_task(tmp_path / "app", ECHO, name="shop"), "--no-bundle")
        with held_request(host.port("shop")) as client:
            host.wait(lambda: host.task("shop")["requests"] == 1, "that the request is there")
            host.process.send_signal(signal.SIGTERM)
            host.wait(lambda: host.status()["state"] == "draining", "that it stops")
            for words in (["upgrade"], ["apply", write_task(tmp_path / "late", HELLO, name="late"), "--no-bundle"]):
                done = host.cli(*words)
                assert done.returncode != 0
                assert "the host stops" in done.stderr
            host.process.send_signal(signal.SIGUSR2)
            host.log.wait_event("SIGUSR2: no hand-over")
            client.sendall(bytes(BODY))
            assert client.recv(4096).startswith(b"HTTP/1.1 200")
        assert host.process.wait(PATIENCE_S) == 0
        host.begin()  # nobody has its folder
        assert [task["task"] for task in host.json("ps")] == ["shop"]


def test_programs_that_hang_as_they_boot_keep_no_successor_from_being_ready(tmp_path: Path) -> None:
    names = [f"hang-{number}" for number in range(5)]  # one more than boot at once
    with Serving(tmp_path / "host", handoverReady="20s") as host:
        for name in names:
            host.said("apply", flagged(tmp_path / name, name), "--no-bundle")
        host.said("apply", write_task(tmp_path / "app", HELLO, name="shop"), "--no-bundle")
        for name in names:
            hang(tmp_path / name)
        host.said("upgrade")
        assert host.status()["handovers"] == 1
        assert host.get("shop").text == "hello"
        assert set(names) <= {line["task"] for line in host.log.lines if "it boots still" in line["event"]}
        host.said("rm", "--yes", *names)


def test_a_host_that_starts_heeds_a_signal_whatever_boots(tmp_path: Path) -> None:
    with Serving(tmp_path / "host", handoverReady="1h") as host:
        host.said("apply", flagged(tmp_path / "app", "shop", idle=None), "--no-bundle")
        hang(tmp_path / "app")
        host.kill()
        host.start()
        host.wait(lambda: host.cli("status").returncode == 0, "that it answers")
        assert host.status()["state"] == "starting"
        host.wait(lambda: host.task("shop")["listen"] != [], "that requests can wait for the boot")
        host.process.send_signal(signal.SIGTERM)
        host.log.wait_event("stopping: answering what is under way")
        host.process.send_signal(signal.SIGTERM)
        assert host.process.wait(PATIENCE_S) in (0, 128 + signal.SIGTERM)


def test_jobs_run_once_at_a_time_and_finished_ones_not_again(tmp_path: Path) -> None:
    with Serving(tmp_path / "host") as host:
        host.said("apply", write_task(tmp_path / "job", JOB, name="job", listen=[]), "--no-bundle")
        host.said("apply", write_task(tmp_path / "done", DONE, name="done", listen=[]), "--no-bundle")
        host.wait(lambda: host.task("done")["state"] == "idle", "that the job is done")
        assert host.cli("upgrade", "/bin/false").returncode == 1
        assert begun(host) == 1, "a hand-over that failed has run it twice"
        host.said("upgrade")
        host.wait(lambda: begun(host) == 2, "that it runs in the successor")
        assert host.task("done")["state"] == "idle"
        assert host.task("done")["boots"] == 0, "it ran again in the successor"
        host.said("start", "done")  # now somebody wants it
        assert host.task("done")["boots"] == 1


def test_what_happened_and_was_said_is_known_after_a_hand_over(tmp_path: Path) -> None:
    with Serving(tmp_path / "host") as host:
        source = "console.log('said before');" + HELLO
        host.said("apply", write_task(tmp_path / "app", source, name="shop"), "--no-bundle")
        host.said("upgrade")
        assert "said before" in host.said("logs", "shop")
        with host.following("events", "--after", "0") as lines:
            host.said("upgrade")
            told = list(itertools.takewhile(lambda line: "is the host now" not in line, lines))
            told += itertools.takewhile(lambda line: "serves 1 tasks" not in line, lines)
        assert told
        assert not any("not kept any more" in line for line in told)
        number = next(word for word in told[-1].split() if word.isdecimal())
        with host.following("events", "--after", number) as lines:
            assert "serves 1 tasks" in next(lines)


def test_start_opens_the_ports_of_a_task_whose_address_was_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
    with Serving(tmp_path / "host") as host:
        file = write_task(tmp_path / "app", HELLO, name="shop", listen=[f"127.0.0.1:{port}"])
        host.said("apply", file, "--no-bundle")
        assert host.stop() == 0
        with socket.create_server(("127.0.0.1", port)):
            host.begin()
            done = host.cli("start", "shop")
            assert done.returncode != 0
            assert "in use" in done.stderr
        host.said("start", "shop")
        assert host.get("shop").text == "hello"


def test_a_job_that_was_blocked_runs_again_as_soon_as_it_is_released(tmp_path: Path) -> None:
    deaf = "Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)"
    with Serving(tmp_path / "host", handoverParked=1000) as host:
        job = write_task(tmp_path / "job", f"{JOB} setTimeout(() => {deaf}, 100);", name="job", listen=[])
        host.said("apply", job, "--no-bundle")
        host.wait(lambda: host.task("job")["state"] == "blocked", "that it is blocked")
        assert begun(host) == 1
        host.said("release", "job")
        host.wait(lambda: begun(host) == 2, "that it runs again")
