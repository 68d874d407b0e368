"""One host, several tasks, real connections."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.functional.running import PATIENCE_S, Running, ask, ask_both_ways, handler, write_task

# One module with a path per test, so that they share one process.
PATHS = r"""
const chunk = new Uint8Array(65536).fill(120);
let sent = 0, cancelled = 0, events = [];
const paths = {
  '/': () => new Response('hello'),
  '/echo': async (request) => new Response(await request.arrayBuffer(), { headers: request.headers.has('x-a')
    ? { 'x-a': request.headers.get('x-a') } : {} }),
  '/echo-stream': (request) => new Response(request.body),
  '/count': async (request) => {
    let size = 0;
    for await (const piece of request.body ?? []) size += piece.length;
    return Response.json({ size });
  },
  '/204': () => new Response(null, { status: 204 }),
  '/304': () => new Response(null, { status: 304, headers: { etag: '"x"' } }),
  '/stream': () => {
    let left = 32;
    return new Response(new ReadableStream({ pull(c) { left-- ? c.enqueue(chunk) : c.close(); } }));
  },
  '/fountain': () => new Response(new ReadableStream({
    pull(c) { sent += chunk.length; c.enqueue(chunk); }, cancel() { cancelled++; },
  })),
  '/fountain/state': () => Response.json({ sent, cancelled }),
  '/half': () => new Response(new ReadableStream({
    start(c) { c.enqueue(chunk); }, pull() { throw new Error('half way'); },
  })),
  '/throws': () => { throw new Error('the secret'); },
  '/rejects': async () => { await 0; throw new Error('the secret'); },
  '/abort': (request) => new Promise(() => {
    events.push('in');
    request.signal.addEventListener('abort', () => events.push(request.signal.reason.name));
  }),
  '/events': () => Response.json(events),
  '/url': (request) => new Response(request.url),
  '/headers': (request) => Response.json([...request.headers]),
};
export default { fetch(request) {
  const found = paths[new URL(request.url).pathname];
  return found ? found(request) : new Response('not here', { status: 404 });
} };
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("http")
    files = [
        write_task(folder, PATHS, name="paths", main="paths.mjs"),
        write_task(folder, handler("return new Response(env.A);"), name="one", main="one.mjs", env={"A": "I am one"}),
        write_task(
            folder, "addEventListener('fetch', (e) => e.respondWith(new Response(process.argv[2])));", name="two",
            main="two.js", args=["I am two"],
        ),
        write_task(folder, handler("return new Promise(() => {});"), name="never", main="never.mjs",
                   limits={"cpu": {"wall": "300ms"}}),
    ]  # fmt: skip
    with Running(*files) as running:
        yield running


@pytest.fixture
def port(host: Running) -> int:
    return host.port("paths")


def test_hello(port: int) -> None:
    answer = ask(port)
    assert (answer.status, answer.text) == (200, "hello")
    assert answer.headers["content-type"] == "text/plain;charset=UTF-8"
    assert answer.headers["content-length"] == "5"
    assert answer.headers["date"].endswith(" GMT")


def test_tasks_answer_each_for_themselves(host: Running) -> None:
    assert host.get(task="one").text == "I am one"
    assert host.get(task="two").text == "I am two"
    ports = {host.port(name) for name in ("paths", "one", "two", "never")}
    assert len(ports) == 4


def pieces_of(body: bytes) -> Iterator[bytes]:
    return (body[at : at + 100_000] for at in range(0, len(body), 100_000))


@pytest.mark.parametrize("size", [0, 1024, 65_536, 10 * 2**20])
def test_bodies_come_back(port: int, size: int) -> None:
    body = (bytes(range(256)) * (size // 256 + 1))[:size]
    for sent in (body, pieces_of(body)):
        answer = ask(port, "/echo", method="POST", body=sent)
        assert answer.status == 200
        assert answer.body == body


@pytest.mark.parametrize("size", [0, 1024, 65_536, 10 * 2**20, 90 * 2**20])
def test_bodies_stream_through(port: int, size: int) -> None:
    """The largest is more than limits.mem.external: nothing of it is kept."""
    body = (bytes(range(256)) * (size // 256 + 1))[:size]
    answer = ask_both_ways(port, "/echo-stream", pieces_of(body))
    assert answer.status == 200
    assert answer.body == body


def test_a_body_larger_than_the_external_memory_streams_through(port: int) -> None:
    pieces = (b"x" * 2**20 for _ in range(90))  # limits.mem.external is 64 MiB, and nothing of it is kept
    answer = ask(port, "/count", method="POST", body=pieces)
    assert json.loads(answer.body) == {"size": 90 * 2**20}


@pytest.mark.parametrize("path", ["/", "/stream", "/204", "/304", "/throws"])
def test_head_and_answers_without_body_leave_the_connection_usable(port: int, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    statuses = {"/": 200, "/stream": 200, "/204": 204, "/304": 304, "/throws": 500}
    for method in ("HEAD", "GET"):
        connection.request(method, path)
        response = connection.getresponse()
        body = response.read()
        assert response.status == statuses[path]
        assert bool(body) is (method == "GET" and path not in ("/204", "/304"))
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"hello"
    connection.close()


def test_a_streamed_response_arrives_whole(port: int) -> None:
    answer = ask(port, "/stream")
    assert answer.headers["transfer-encoding"] == "chunked"
    assert answer.body == b"x" * (32 * 65_536)


def test_a_slow_reader_holds_the_stream_back_and_not_in_memory(host: Running, port: int) -> None:
    def state() -> dict[str, int]:
        found: dict[str, int] = json.loads(ask(port, "/fountain/state").body)
        return found

    before_mib, before = host.rss_mib(), state()["sent"]
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
    client.settimeout(PATIENCE_S)
    client.connect(("127.0.0.1", port))
    client.sendall(b"GET /fountain HTTP/1.1\r\nHost: a\r\n\r\n")
    assert client.recv(10).startswith(b"HTTP/1.1")
    last = -1
    while (now := state()["sent"]) != last:  # until it stands still
        last = now
        threading.Event().wait(0.05)
    assert last - before < 8 * 2**20, "kernel's buffers, the transport's and a window"
    taken = 0
    while taken < 20 * 2**20:
        taken += len(client.recv(2**20))
    assert state()["sent"] - before >= 20 * 2**20
    assert host.rss_mib() - before_mib < 30
    cancelled = state()["cancelled"]
    client.close()
    while state()["cancelled"] == cancelled:
        pass  # the client is gone: the program hears of it


def test_a_stream_that_fails_cannot_be_taken_for_a_whole_one(port: int, host: Running) -> None:
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        ask(port, "/half")
    host.log.wait(lambda line: "half way" in str(line.get("stack", "")) and line["task"] == "paths")


@pytest.mark.parametrize("path", ["/throws", "/rejects"])
def test_a_handler_that_throws_is_500_and_the_error_is_only_in_the_log(port: int, host: Running, path: str) -> None:
    answer = ask(port, path)
    assert answer.status == 500
    assert answer.problem["reason"] == "handler-error"
    assert b"secret" not in answer.body
    line = host.log.wait(lambda line: "the secret" in str(line.get("stack", "")))
    assert line["level"] == "error"
    assert "paths.mjs:" in line["stack"]


def test_a_client_that_leaves_fires_the_requests_signal(port: int) -> None:
    def events() -> list[str]:
        found: list[str] = json.loads(ask(port, "/events").body)
        return found

    client = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    client.sendall(b"GET /abort HTTP/1.1\r\nHost: a\r\n\r\n")
    while events() != ["in"]:
        pass
    client.close()
    while events() != ["in", "AbortError"]:
        pass


def test_a_handler_that_never_answers_is_503_after_the_wall_limit(host: Running) -> None:
    with ThreadPoolExecutor() as pool:
        answers = list(pool.map(lambda _: host.get(task="never"), range(5)))
    for answer in answers:
        assert answer.status == 503
        assert answer.problem["reason"] == "wall-limit"
        assert "300 ms" in answer.problem["detail"]
    assert host.get("/", task="paths").text == "hello"
    late = host.log.wait_event("not answered within limits.cpu.wall", task="never", level="warning")
    assert late["limit"] == 300


def test_pipelined_requests_are_answered_in_order(port: int) -> None:
    client = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    client.sendall(b"".join(b"GET /url?%d HTTP/1.1\r\nHost: a\r\n\r\n" % n for n in range(50)))
    received = b""
    while received.count(b"HTTP/1.1 200") < 50 or not received.endswith(b"/url?49"):
        received += client.recv(65_536)
    assert [int(part.split(b"HTTP")[0]) for part in received.split(b"http://a/url?")[1:]] == list(range(50))
    client.close()


def test_many_clients_at_once(port: int) -> None:
    def client(number: int) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        for turn in range(20):
            body = f"{number}/{turn}".encode() * 100
            connection.request("POST", "/echo", body=body, headers={"X-A": str(turn)})
            response = connection.getresponse()
            if response.read() != body or response.headers["x-a"] != str(turn):
                return False
        connection.close()
        return True

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(client, range(32)))


def test_expect_100_continue(port: int) -> None:
    client = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    client.sendall(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
    assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.sendall(b"words")
    received = b""
    while not received.endswith(b"words"):
        received += client.recv(1000)
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    client.close()


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 100_000 + b"\r\n\r\n", 431),
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", 413),
    ],
)
def test_what_is_no_request_is_refused_and_the_task_does_not_hear_of_it(port: int, sent: bytes, status: int) -> None:
    client = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
    client.sendall(sent)
    received = b""
    while data := client.recv(65_536):
        received += data
    assert received.startswith(b"HTTP/1.1 %d " % status)
    assert b"application/problem+json" in received
    client.close()
    assert ask(port).text == "hello"


def test_headers_arrive_as_the_client_wrote_them(port: int) -> None:
    answer = ask(port, "/headers", headers={"X-Late": "b", "Cookie": "a=1; b=2", "X-Latin": "caf\xe9"})
    found = dict(json.loads(answer.body))
    assert found["x-late"] == "b"
    assert found["cookie"] == "a=1; b=2"
    assert found["x-latin"] == "caf\xe9"


def test_connection_close_and_http_1_0(port: int) -> None:
    for request in (
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"GET /stream HTTP/1.0\r\nHost: a\r\n\r\n",
    ):
        client = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        client.sendall(request)
        received = b""
        while data := client.recv(65_536):
            received += data
        head, _, body = received.partition(b"\r\n\r\n")
        assert b"connection: close" in head.lower()
        assert b"chunked" not in head.lower()
        assert body == (b"hello" if b"1.1" in request else b"x" * (32 * 65_536))
        client.close()


def test_every_line_of_the_log_is_json_and_names_its_task(host: Running, port: int) -> None:
    ask(port, "/throws")
    host.log.wait_event("request failed")
    for line in host.log.lines:
        assert line["task"] in ("paths", "one", "two", "never") or line["event"].startswith("stopp")


def test_nobody_wrote_to_stdout(tmp_path: Path) -> None:
    file = write_task(tmp_path, "console.log('to the log'); process.exit(0);", listen=[])
    with Running(file) as running:
        assert running.wait() == 0
        assert running.process.stdout is not None
        assert running.process.stdout.read() == b""
        running.log.wait_event("to the log", task="task", source="console")
