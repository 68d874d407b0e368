"""From the start of `isolated run` to its exit code."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.running import PATIENCE_S, Running, ask, handler, run, write_task

HELLO = handler("return new Response('hello');")
# Answers when the test says so, so that a request is surely in flight meanwhile.
SLOW = handler(
    "const path = new URL(request.url).pathname;"
    "if (path === '/slow') return new Promise((done) => { globalThis.go = () => done(new Response('slow')); "
    "console.log('in flight'); });"
    "if (path === '/go') { go(); return new Response('going'); }"
    "return new Response('hello');"
)


class Asking:
    """A request in flight."""

    def __init__(self, running: Running, path: str) -> None:
        self.text = ""
        self.error: OSError | None = None
        self._port = running.port()
        self._thread = threading.Thread(target=self._ask, args=(path,), daemon=True)
        self._thread.start()

    def _ask(self, path: str) -> None:
        try:
            self.text = ask(self._port, path).text
        except OSError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001 -- http.client's own for a cut connection
            self.error = OSError(repr(error))

    def join(self) -> None:
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()


def wait_refused(port: int) -> None:
    """Returns once nobody is let in; the log says so a moment before."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            ask(port)
        except ConnectionRefusedError:
            return
        except ConnectionError:
            continue  # let in, and then closed
    raise AssertionError("new connections are still answered")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_exits_0(tmp_path: Path, number: int) -> None:
    """What is in flight is answered, what is idle is closed, and nobody is let in any more."""
    with Running(write_task(tmp_path, SLOW)) as running:
        port = running.port()
        trigger = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        trigger.sendall(b"GET /go HTTP/1.1\r\nHost: a\r\n")  # not complete: it will let the slow one go
        slow = Asking(running, "/slow")
        running.log.wait_event("in flight")
        running.signal(number)
        line = running.log.wait_event("stopping")
        assert line["signal"] == signal.Signals(number).name
        wait_refused(port)
        trigger.sendall(b"\r\n")
        slow.join()
        assert slow.text == "slow"
        assert running.wait() == 0
        trigger.close()
        running.log.wait_event("stopped")


def test_a_drain_does_not_wait_for_idle_connections(tmp_path: Path) -> None:
    with Running(write_task(tmp_path, HELLO)) as running:
        idle = running.connect()
        idle.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        while not idle.recv(4096).endswith(b"hello"):
            pass
        begun = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - begun < 15, "far less than the time that a drain may take"
        assert idle.recv(4096) == b""
        idle.close()


@pytest.mark.parametrize(("second", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("then", ["", "setTimeout(() => { for (;;); }, 50);"], ids=["waiting", "spinning"])
def test_a_second_signal_ends_at_once(tmp_path: Path, second: int, code: int, then: str) -> None:
    source = handler(f"console.log('in flight'); {then} return new Promise(() => {{}});")
    # Without limits: what spins goes on until the second signal, however late that comes.
    with Running(write_task(tmp_path, source, limits={"cpu": {"request": None, "wall": None}})) as running:
        never = Asking(running, "/")
        running.log.wait_event("in flight")
        running.signal(signal.SIGTERM)
        running.log.wait_event("stopping")
        begun = time.monotonic()
        running.signal(second)
        assert running.wait() == code
        assert time.monotonic() - begun < 15, "far less than the 30 s of a drain"
        never.join()
        assert never.error is not None or not never.text.startswith("hello")
        running.log.wait_event("ended at once")


@pytest.mark.slow
@pytest.mark.parametrize(("signals", "code"), [(1, 0), (2, 130)])
def test_what_no_termination_reaches_does_not_keep_the_process(tmp_path: Path, signals: int, code: int) -> None:
    """A built-in of V8 that counts to 2**53. One signal takes the whole time of a drain."""
    source = handler("console.log('in flight'); Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);")
    with Running(write_task(tmp_path, source, limits={"cpu": {"wall": None}})) as running:
        asking = Asking(running, "/")
        isolate_is_busy(running)
        running.signal(signal.SIGINT)
        running.log.wait_event("stopping")
        if signals == 2:
            running.signal(signal.SIGINT)
        assert running.wait() == code
        asking.join()


def of_threads(running: Running, name: str) -> Iterator[str]:
    """A file of proc(5) of each of its threads; of one that ends meanwhile there is none."""
    for each in Path(f"/proc/{running.pid}/task").iterdir():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            yield (each / name).read_text()


def isolate_is_busy(running: Running) -> None:
    """Returns once an isolate's thread has used a while of CPU time."""
    ticks = 0
    while ticks < 20:
        for text in of_threads(running, "stat"):
            name, _, rest = text.rpartition(")")
            if "isolate-" in name:
                ticks = max(ticks, int(rest.split()[11]))  # utime of proc(5), in hundredths of a second
        time.sleep(0.02)


def test_a_signal_while_a_task_boots(tmp_path: Path) -> None:
    source = "console.log('booting'); await new Promise((done) => setTimeout(done, 1e6));" + HELLO
    with Running(write_task(tmp_path, source, limits={"cpu": {"wall": None}})) as running:
        running.log.wait_event("booting")
        assert running.stop() == 0


def test_settings_that_are_wrong_exit_2_and_name_field_value_and_remedy(tmp_path: Path) -> None:
    file = write_task(tmp_path, HELLO, limits={"mem": {"heap": "64MiBs"}}, listn=["127.0.0.1:0"])
    done = run("run", file)
    assert done.returncode == 2
    for part in ("limits.mem.heap", "64MiBs", "listn", "did you mean", "listen", str(file)):
        assert part in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_task_file_that_is_not_there_exits_2(tmp_path: Path) -> None:
    done = run("run", tmp_path / "missing.json5")
    assert done.returncode == 2
    assert "missing.json5" in done.stderr


def test_the_same_task_id_twice_exits_2(tmp_path: Path) -> None:
    first = write_task(tmp_path / "a", HELLO, name="same")
    second = write_task(tmp_path / "b", HELLO, name="same")
    done = run("run", first, second)
    assert done.returncode == 2
    assert "same" in done.stderr


def test_a_main_module_that_is_missing_exits_1(tmp_path: Path) -> None:
    file = write_task(tmp_path, HELLO)
    (tmp_path / "main.mjs").unlink()
    done = run("run", file)
    assert done.returncode in (1, 2)
    assert "main.mjs" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("\nthrow new Error('boom');\n", ["Error: boom", "main.mjs:2:7", "throw new Error('boom');"]),
        ("let x = = 1;", ["SyntaxError", "main.mjs:1:9", "let x = = 1;"]),
        ("import './nope.js';", ["./nope.js", "main.mjs:1:", "there is no such file"]),
        ("await Promise.reject(new TypeError('later'));", ["TypeError: later", "main.mjs:1:22"]),
        ("export default {};", ["handles no requests", "export default { fetch"]),
        ("process.exit(3);", ["ended with code 3"]),
        ("const a = []; for (;;) a.push('hello');", ["heap-limit", "limit 10 MiB"]),
    ],
)
def test_a_program_that_cannot_start_exits_1_with_reason_and_place(
    tmp_path: Path, source: str, parts: list[str]
) -> None:
    done = run("run", write_task(tmp_path, source, limits={"mem": {"heap": "10MiB"}}))
    assert done.returncode == 1
    for part in ["task task did not start" if "handles" not in parts[0] else "task task listens", *parts]:
        assert part in done.stderr
    assert "Traceback" not in done.stderr


def test_if_one_of_several_tasks_cannot_start_none_runs_on(tmp_path: Path) -> None:
    good = write_task(tmp_path, HELLO, name="good", main="good.mjs")
    bad = write_task(tmp_path, "throw new Error('boom');", name="bad", main="bad.mjs")
    with Running(good, bad) as running:
        assert running.wait() == 1
        assert "bad.mjs:1:7" in running.log.text


def test_all_tasks_that_cannot_start_are_told(tmp_path: Path) -> None:
    files = [
        write_task(tmp_path, f"throw new Error('boom {name}');", name=name, main=f"{name}.mjs")
        for name in ("a", "b", "c")
    ]
    done = run("run", *files)
    assert done.returncode == 1
    for name in ("a", "b", "c"):
        assert f"isolated: task {name} did not start: Uncaught Error: boom {name}" in done.stderr
    assert "Traceback" not in done.stderr
    assert "never retrieved" not in done.stderr


def test_a_port_in_use_exits_1_and_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("run", write_task(tmp_path, HELLO, listen=[f"127.0.0.1:{port}"]))
    assert done.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}: the address is in use" in done.stderr
    assert "port 0" in done.stderr


def test_several_addresses_of_all_kinds(tmp_path: Path) -> None:
    path = tmp_path / "task.sock"
    listen = ["127.0.0.1:0", "[::1]:0", f"unix:{path}", "127.0.0.1:0"]
    source = handler("return new Response(request.headers.get('host'));")
    with Running(write_task(tmp_path, source, listen=listen)) as running:
        addresses = running.addresses()
        assert len(addresses) == 4
        one, six, unix, two = addresses
        assert unix == f"unix:{path}"
        for address in (one, two):
            port = int(address.rpartition(":")[2])
            assert ask(port).text == f"127.0.0.1:{port}"
        port = int(six.rpartition(":")[2])
        assert six == f"[::1]:{port}"
        assert ask(port, host="::1").text == f"[::1]:{port}"
        assert stat.S_ISSOCK(path.stat().st_mode)
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE_S)
            client.connect(str(path))
            client.sendall(b"GET / HTTP/1.1\r\nHost: over.unix\r\nConnection: close\r\n\r\n")
            received = b""
            while data := client.recv(4096):
                received += data
        assert received.endswith(b"over.unix")
    assert not path.exists(), "the socket goes with its task"


def test_a_unix_socket_that_was_left_behind_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "task.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with Running(write_task(tmp_path, HELLO, listen=[f"unix:{path}"])) as running:
        running.addresses()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("console.log('work');", 0),
        ("setTimeout(() => console.log('work'), 20);", 0),
        ("console.log('work'); process.exit(3);", 3),
        ("console.log('work'); setTimeout(() => process.exit(4), 1); setInterval(() => {}, 1000);", 4),
        ("console.log('work'); await 0; setTimeout(() => process.exit(255));", 255),
        ("setTimeout(() => { console.log('work'); throw new Error('told, and no more'); });", 0),
        ("console.log('work'); setTimeout(() => { const a = []; for (;;) a.push('hello'); });", 1),
    ],
)
def test_a_task_that_does_not_listen_ends_with_its_program(tmp_path: Path, source: str, code: int) -> None:
    file = write_task(tmp_path, source, listen=[], limits={"mem": {"heap": "10MiB"}})
    with Running(file) as running:
        assert running.wait() == code
        running.log.wait_event("work", task="task", source="console")
        if "process.exit" in source:
            running.log.wait_event(f"ended with code {code}", task="task", reason="exited")


def test_ready_comes_before_the_end(tmp_path: Path) -> None:
    for source, events in (("", ["ready", "exited"]), ("process.exit(0);", ["exited"])):
        with Running(write_task(tmp_path, source, listen=[])) as running:
            assert running.wait() == 0
            assert [line["event"].partition(":")[0] for line in running.log.lines] == events


def test_of_several_that_do_not_listen_the_largest_code_counts(tmp_path: Path) -> None:
    files = [
        write_task(tmp_path, f"setTimeout(() => process.exit({code}));", name=f"t{code}", main=f"{code}.mjs", listen=[])
        for code in (0, 7, 2)
    ]
    with Running(*files) as running:
        assert running.wait() == 7


def test_a_task_that_ends_itself_is_booted_again_by_the_next_request(tmp_path: Path) -> None:
    source = handler(
        "if (request.url.endsWith('/quit')) process.exit(0);"
        "return new Response(String(globalThis.n = (globalThis.n ?? 0) + 1));"
    )
    with Running(write_task(tmp_path, source)) as running:
        assert [running.get().text, running.get().text] == ["1", "2"]
        answer = running.get("/quit")
        assert answer.status == 503
        assert answer.problem["reason"] == "exited"
        assert running.get().text == "1"


def test_a_task_is_pinned_to_its_core(tmp_path: Path) -> None:
    core = max(os.sched_getaffinity(0))
    with Running(write_task(tmp_path, HELLO, cpu=core), options=["--warm", "0"]) as running:
        assert running.get().text == "hello"
        (stat,) = [text for text in of_threads(running, "stat") if "(isolate-" in text]
        assert os.sched_getaffinity(int(stat.split()[0])) == {core}


def test_signals_of_the_process_reach_no_thread_that_may_not_pass_them_on(tmp_path: Path) -> None:
    """The kernel picks any thread if the main one has a signal already; the filter of an isolate's would lose it."""
    with Running(write_task(tmp_path, HELLO)) as running:
        assert running.get().text == "hello"
        found = 0
        for text in of_threads(running, "status"):
            status = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
            if status["Name"].startswith(("isolate-", "V8 ", "watchdog", "reader")):
                found += 1
                blocked = int(status["SigBlk"], 16)
                assert blocked & 1 << signal.SIGTERM - 1, status["Name"]
                assert not blocked & 1 << signal.SIGSEGV - 1, status["Name"]
        assert found >= 3


def test_env_args_and_task_formats(tmp_path: Path) -> None:
    (tmp_path / "a.js").write_text(
        "addEventListener('fetch', (e) => e.respondWith(Response.json([process.env, process.argv.slice(2)])));"
    )
    (tmp_path / "a.json5").write_text(
        "{taskId: 5, mainPath: './a.js', env: {A: 'b'}, args: [1], listen: ['127.0.0.1:0']}"
    )
    (tmp_path / "b.toml").write_text(
        "taskId = 'toml'\nmainPath = './a.js'\nargs = ['x']\nlisten = ['127.0.0.1:0']\n[env]\nC = 'd'\n"
    )
    with Running(tmp_path / "a.json5", tmp_path / "b.toml") as running:
        assert json.loads(running.get(task="5").body) == [{"A": "b"}, ["1"]]
        assert json.loads(running.get(task="toml").body) == [{"C": "d"}, ["x"]]
