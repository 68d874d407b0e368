"""The control API as methods: ask, follow, upload. Blocking; quick to start: no models, no event loop."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from supervisor.cli.answers import error_of
from supervisor.cli.codes import HostFailed, HostUnreachable
from supervisor.cli.times import ANSWER_S, LONG_S
from supervisor.cli.transport import Way

ANSWER_BYTES_MAX = 64 * 2**20  # 10,000 tasks in a list are about 10 MB; beyond is not an answer of ours
LINE_BYTES_MAX = 2**20  # a console call is cut at 16 KiB, and events are short
ERROR_BYTES_MAX = 2**20

SILENT = "Isolated-Silent-Hosts"

type Query = Mapping[str, str | int | bool | None]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the host said: `text` as it came, `value` parsed."""

    text: str
    silent: str = ""  # ids of hosts that did not answer, with blanks between them

    @property
    def value(self) -> Any:
        """The JSON value. HostFailed if it is none."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError) as error:
            raise HostFailed(f"the answer is not JSON: {error}", "is it the right --host?") from None

    @property
    def object(self) -> dict[str, Any]:
        """The JSON object. HostFailed if it is none."""
        return _typed(self.value, dict)

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The JSON objects of a list. HostFailed if it is none."""
        return [_typed(each, dict) for each in _typed(self.value, list)]


@dataclass(frozen=True, slots=True)
class Client:
    """Asks one host. Every method raises IsolatedErrors only, each with its exit code."""

    way: Way

    def ask(
        self, method: str, *path: str, query: Query | None = None, body: object = None, timeout_s: float = ANSWER_S
    ) -> Answer:
        """Sends a request and returns the answer; `path` are the parts below /v1, unquoted."""
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode(errors="replace")
        headers = {"Content-Type": "application/json"} if data is not None else {}
        exchange = self._exchange(method, _target(path, query), data, headers, timeout_s)
        with exchange as response, self._in_words(timeout_s):
            _refuse_errors(response)
            return Answer(_read(response, ANSWER_BYTES_MAX), response.getheader(SILENT, ""))

    def has(self, *path: str) -> bool:
        """Whether HEAD finds it."""
        with self._exchange("HEAD", _target(path, None), None, {}, ANSWER_S) as response:
            if response.status == http.client.NOT_FOUND:
                return False
            if response.status >= http.client.MULTIPLE_CHOICES:  # an answer to HEAD has no body that says more
                raise error_of(response.status, "application/problem+json", "{}", response.getheader("Retry-After"))
            return True

    def upload(self, chunks: Iterable[bytes], size: int, *path: str) -> None:
        """PUTs `size` bytes."""
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        exchange = self._exchange("PUT", _target(path, None), chunks, headers, LONG_S)
        with exchange as response, self._in_words(LONG_S):
            _refuse_errors(response)
            _read(response, ANSWER_BYTES_MAX)

    @contextmanager
    def follow(
        self, *path: str, query: Query | None = None, headers: Mapping[str, str] | None = None
    ) -> Iterator[Iterator[bytes]]:
        """Lines as they come, without their ends, until the host ends the stream or goes away."""
        with self._exchange("GET", _target(path, query), None, headers or {}, None) as response:
            with self._in_words(ANSWER_S):
                _refuse_errors(response)
            yield _lines(response)

    @contextmanager
    def _exchange(
        self, method: str, target: str, body: Any, headers: Mapping[str, str], timeout_s: float | None
    ) -> Iterator[http.client.HTTPResponse]:
        """The response, its body unread. `timeout_s` None: only until the body begins."""
        all_headers = {**self.way.headers(), **headers}
        connection = self.way.connect(timeout_s or ANSWER_S)
        try:
            stream = connection.sock  # http.client forgets it where the answer says `Connection: close`
            with self._in_words(timeout_s):
                response = _send(connection, method, target, body, all_headers)
                stream.settimeout(timeout_s)
            yield response
        finally:
            connection.close()

    @contextmanager
    def _in_words(self, timeout_s: float | None) -> Iterator[None]:
        try:
            yield
        except TimeoutError:
            told = f"the host at {self.way.address} did not answer within {timeout_s or ANSWER_S:g} s"
            raise HostUnreachable(told, "it may still do what was asked; `isolated events` shows it") from None
        except (OSError, http.client.HTTPException) as error:
            told = f"the host at {self.way.address} broke the connection off ({type(error).__name__})"
            raise HostUnreachable(told, "it may have ended meanwhile; try again, or look into its log") from None


def _send(
    connection: http.client.HTTPConnection, method: str, target: str, body: Any, headers: Mapping[str, str]
) -> http.client.HTTPResponse:
    try:
        connection.request(method, target, body=body, headers=headers)
    except BrokenPipeError, ConnectionResetError:
        # A host that refuses a large body early answers and closes; what it said may still be there to be read.
        return connection.getresponse()
    return connection.getresponse()


def _refuse_errors(response: http.client.HTTPResponse) -> None:
    if response.status >= http.client.MULTIPLE_CHOICES:
        mime, retry_after = response.getheader("Content-Type", ""), response.getheader("Retry-After")
        raise error_of(response.status, mime, _read(response, ERROR_BYTES_MAX), retry_after)


def _read(response: http.client.HTTPResponse, limit: int) -> str:
    data = response.read(limit + 1)
    if len(data) > limit:
        raise HostFailed(f"the answer is larger than {limit} bytes", "is it the right --host?")
    if response.length:  # what is still missing of Content-Length: http.client does not say so by itself
        raise http.client.IncompleteRead(data, response.length)
    return data.decode(errors="replace")


def _lines(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """Lines until the end; one that was cut off by the end of the connection is left out."""
    while True:
        try:
            line = response.readline(LINE_BYTES_MAX)
        except OSError, http.client.HTTPException:
            return
        if not line:
            return
        if not line.endswith(b"\n"):
            if len(line) >= LINE_BYTES_MAX:
                raise HostFailed(f"a line is longer than {LINE_BYTES_MAX} bytes", "is it the right --host?")
            return
        yield line.rstrip(b"\r\n")


def _target(path: tuple[str, ...], query: Query | None) -> str:
    parts = "".join("/" + quote(part, safe="") for part in ("v1", *path))
    asked = {name: _word(value) for name, value in (query or {}).items() if value is not None}
    return f"{parts}?{urlencode(asked)}" if asked else parts


def _word(value: str | int | bool | None) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _typed[T](value: Any, kind: type[T]) -> T:
    if not isinstance(value, kind):
        raise HostFailed(
            "the answer is not of the expected form", "is it the right --host, and as new as this program?"
        )
    return value
