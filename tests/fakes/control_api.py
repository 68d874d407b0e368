"""A server that speaks the control API, without a host behind it: what clients are tried on."""

from __future__ import annotations

import json
import re
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

PROBLEM = "application/problem+json"
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Said:
    """An answer, ready to be sent. `cut`: so many bytes of the body and then the connection is gone."""

    status: int = 200
    body: bytes = b""
    mime: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def value(self) -> Any:
        return json.loads(self.body)


def said(value: Any, status: int = 200) -> Said:
    return Said(status, json.dumps(value).encode())


def problem(status: int, kind: str, detail: str, **more: Any) -> Said:
    """A problem as the API tells it; Retry-After where the real one has it."""
    body = {"type": "about:blank", "title": "T", "status": status, "detail": detail, "kind": kind, **more}
    headers = {"Retry-After": "7"} if status == 503 else {}
    return Said(status, json.dumps(body).encode(), PROBLEM, headers)


def unknown(what: str) -> Said:
    return problem(404, "unknown", f"there is no {what}")


def a_task(task: str, **more: Any) -> dict[str, Any]:
    """A TaskView as JSON."""
    base = {
        "task": task, "state": "running", "wanted": True, "revision": 1, "applied": 1.0e9,
        "listen": ["127.0.0.1:3000"], "bundle": None, "isolate": None, "requests": 12, "failures": 1, "boots": 2,
        "cpuS": 0.25, "waitS": None, "exits": [], "spec": None,
    }  # fmt: skip
    return base | more


class ControlApi:
    """What the server knows and was asked. Tests change it; `scripted` answers come before the usual ones."""

    def __init__(self) -> None:
        self.tasks: dict[str, dict[str, Any]] = {}
        self.bundles: dict[str, bytes] = {}
        self.blocks: list[dict[str, Any]] = []
        self.status: dict[str, Any] = {"pid": 7, "state": "ready"}
        self.asked: list[Asked] = []
        self.scripted: dict[tuple[str, str], list[Said]] = {}
        self.token: str | None = None

    def script(self, method: str, path: str, *answers: Said) -> None:
        """The next answers to that request, in order."""
        self.scripted.setdefault((method, path), []).extend(answers)

    def wanted(self, method: str, path: str) -> list[Asked]:
        return [each for each in self.asked if (each.method, each.path) == (method, path)]

    def answer(self, asked: Asked) -> Said:
        self.asked.append(asked)
        if self.token is not None and asked.headers.get("authorization") != f"Bearer {self.token}":
            return problem(401, "unauthorized", "the request has no valid token")
        if queue := self.scripted.get((asked.method, asked.path)):
            return queue.pop(0)
        for (method, pattern), handle in _ROUTES.items():
            match = re.fullmatch(pattern, asked.path)
            if match and method == asked.method:
                return handle(self, asked, *match.groups())
        return problem(404, "no-such-path", "the API has no such path")

    def _apply(self, asked: Asked) -> Said:
        settings, bundle = asked.value, asked.query.get("bundle")
        if bundle is not None and bundle not in self.bundles:
            return unknown("bundle " + bundle)
        label, dry_run = str(settings["taskId"]), asked.query.get("dryRun") == "true"
        change = "changed" if label in self.tasks else "created"
        if not dry_run:
            self.tasks[label] = a_task(label, bundle=bundle, spec=settings)
        view = {"task": label, "change": change, "dryRun": dry_run, "fields": [], "restarts": change == "changed",
                "listen": ["127.0.0.1:3000"]}  # fmt: skip
        return said(view, 200 if dry_run or change == "changed" else 201)

    def _task(self, asked: Asked, label: str, state: str | None = None) -> Said:
        if unquote(label) not in self.tasks:
            return unknown(f"task {label}")
        task = self.tasks[unquote(label)]
        if state is not None:
            task["state"] = state
        return said(task)

    def _remove(self, asked: Asked, label: str) -> Said:
        return Said(204) if self.tasks.pop(unquote(label), None) else unknown(f"task {label}")

    def _release(self, asked: Asked, which: str) -> Said:
        lifted = [each for each in self.blocks if which in (each["task"], each["sources"][: len(which)])]
        self.blocks = [each for each in self.blocks if each not in lifted]
        return said(lifted) if lifted else unknown(f"block {which}")

    def _has(self, asked: Asked, digest: str) -> Said:
        return Said(200) if digest in self.bundles else Said(404, mime=PROBLEM)

    def _store(self, asked: Asked, digest: str) -> Said:
        self.bundles[digest] = asked.body
        return said({"digest": digest}, 201)


type _Handle = Callable[..., Said]

_ROUTES: dict[tuple[str, str], _Handle] = {
    ("POST", "/v1/apply"): ControlApi._apply,
    ("GET", "/v1/tasks"): lambda api, _: said(list(api.tasks.values())),
    ("GET", "/v1/tasks/([^/]+)"): ControlApi._task,
    ("DELETE", "/v1/tasks/([^/]+)"): ControlApi._remove,
    ("POST", "/v1/tasks/([^/]+)/stop"): lambda api, asked, label: api._task(asked, label, "stopped"),
    ("POST", "/v1/tasks/([^/]+)/start"): lambda api, asked, label: api._task(asked, label, "running"),
    ("GET", "/v1/blocks"): lambda api, _: said(api.blocks),
    ("DELETE", "/v1/blocks/([^/]+)"): ControlApi._release,
    ("GET", "/v1/status"): lambda api, _: said(api.status),
    ("POST", "/v1/drain"): lambda _, __: said({}, 202),
    ("POST", "/v1/upgrade"): lambda _, __: said({"pid": 8, "tasks": 3, "sockets": 4, "tookS": 0.5}),
    ("HEAD", "/v1/bundles/([^/]+)"): ControlApi._has,
    ("PUT", "/v1/bundles/([^/]+)"): ControlApi._store,
}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    api: ControlApi

    def handle_one_request(self) -> None:
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline or not self.parse_request():
            self.close_connection = True
            return
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", 0)))
        self._send(self.api.answer(Asked(self.command, parts.path, query, headers, body)))

    def _send(self, answer: Said) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.mime)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 204 and "Transfer-Encoding" not in answer.headers:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body if answer.cut is None else answer.body[: answer.cut])
        if answer.cut is not None:
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


def chunked(lines: list[str], *, complete: bool = True, mime: str = "application/x-ndjson") -> Said:
    """A stream that ends after some lines: in good order, or cut off."""
    body = b"".join(b"%x\r\n%s\r\n" % (len(data), data) for line in lines if (data := line.encode()))
    headers = {"Transfer-Encoding": "chunked"}
    return Said(200, body + (b"0\r\n\r\n" if complete else b""), mime, headers, None if complete else len(body))


class _UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, _ = super().get_request()
        return connection, ("unix", 0)


class _TlsServer(socketserver.ThreadingTCPServer):
    daemon_threads = True
    trust: ssl.SSLContext

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        return self.trust.wrap_socket(connection, server_side=True), address

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


@contextmanager
def control_api(path: Path) -> Iterator[ControlApi]:
    """Serves on a Unix socket."""
    api = ControlApi()
    with _UnixServer(str(path), _handler(api)) as server, _running(server):
        yield api


@contextmanager
def control_api_by_tls(certificate: Path, key: Path, address: str = "127.0.0.1") -> Iterator[tuple[ControlApi, int]]:
    """Serves on any port of `address`, with a certificate that is for what its maker said."""
    api = ControlApi()
    with _TlsServer((address, 0), _handler(api)) as server:
        server.trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.trust.load_cert_chain(certificate, key)
        with _running(server):
            yield api, server.server_address[1]


def _handler(api: ControlApi) -> type[_Handler]:
    return type("Handler", (_Handler,), {"api": api})


@contextmanager
def _running(server: socketserver.BaseServer) -> Iterator[None]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
