"""How the control API is reached, and what becomes of every way in which it is not."""

from __future__ import annotations

import os
import socket
import threading
from pathlib import Path

import pytest

from supervisor.cli import client as client_module
from supervisor.cli.address import HttpsAddress, SocketAddress, parse_address
from supervisor.cli.client import Client
from supervisor.cli.codes import (
    HostBusy,
    HostFailed,
    HostUnreachable,
    NotPermitted,
    UnknownToHost,
    WrongForHost,
)
from supervisor.cli.credentials import TOKEN_BYTES_MAX, read_token
from supervisor.cli.transport import Way
from supervisor.errors import BootError, IsolatedError, SettingsError
from tests.fakes.certificate import certificate as make_certificate
from tests.fakes.control_api import (
    ControlApi,
    Said,
    a_task,
    chunked,
    control_api_by_tls,
    problem,
    said,
)

TOKEN = "5ecret-" * 6


@pytest.fixture
def client(api: ControlApi) -> Client:
    return Client(Way(parse_address(os.environ["ISOLATED_HOST"])))


def client_of(path: Path) -> Client:
    return Client(Way(SocketAddress(str(path))))


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("/run/x.sock", SocketAddress("/run/x.sock")),
        ("unix:/run/x.sock", SocketAddress("/run/x.sock")),
        ("https://host", HttpsAddress("host", 443)),
        ("HTTPS://host:8443/", HttpsAddress("host", 8443)),
        ("https://[::1]:8443", HttpsAddress("::1", 8443)),
    ],
)
def test_addresses(text: str, address: object) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not the address of a host"),
        ("host:80", "not the address of a host"),
        ("ftp://x", "not the address of a host"),
        ("http://x", "plain HTTP"),
        ("unix:x.sock", "begin the path with /"),
        ("/a\0b", "not the path of a socket"),
        ("/" + "a" * 107, "longer than 107 bytes"),
        ("https://", "names no host"),
        ("https://x:99999", "not an address"),
        ("https://x/v1", "more than a host"),
        ("https://u:p@x", "more than a host"),
        ("https://x\r\nGET", "names no host"),
    ],
)
def test_what_is_no_address_is_wrong_input(text: str, says: str) -> None:
    with pytest.raises(SettingsError, match="--host") as caught:
        parse_address(text)
    assert says in str(caught.value)
    assert caught.value.exit_code == 2
    assert "allowed: /path/of/a/socket" in str(caught.value)


def test_a_host_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(HostUnreachable, match="there is no such socket") as caught:
        client_of(tmp_path / "none.sock").ask("GET", "tasks")
    assert caught.value.exit_code == 4
    assert "isolated serve" in str(caught.value)


def test_a_socket_that_was_left_over(tmp_path: Path) -> None:
    path = tmp_path / "old.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with pytest.raises(HostUnreachable, match="nobody listens"):
        client_of(path).ask("GET", "tasks")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may use every socket")
def test_a_socket_of_somebody_else(tmp_path: Path, api: ControlApi, client: Client) -> None:
    os.chmod(str(client.way.address), 0)
    with pytest.raises(NotPermitted, match="not permitted to use"):
        client.ask("GET", "tasks")


def test_a_socket_that_the_system_forbids(monkeypatch: pytest.MonkeyPatch, api: ControlApi, client: Client) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("supervisor.cli.transport._UnixConnection.connect", refuse)
    with pytest.raises(NotPermitted, match="not permitted to use") as caught:
        client.ask("GET", "tasks")
    assert caught.value.exit_code == 6


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{}",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}",
    ],
)
def test_a_host_that_breaks_off(tmp_path: Path, answer: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.listen()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(HostUnreachable, match="broke the connection off"):
            client_of(tmp_path / "s").ask("GET", "tasks")
        thread.join()


def test_a_host_that_says_nothing(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.listen()
        with pytest.raises(HostUnreachable, match=r"did not answer within 0\.05 s"):
            client_of(tmp_path / "s").ask("GET", "tasks", timeout_s=0.05)


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (problem(404, "unknown", "there is no task x"), UnknownToHost, "there is no task x"),
        (problem(404, "no-such-path", "no such path"), HostFailed, "no such path"),
        (problem(503, "refused", "it is full"), HostBusy, "try again in 7 s"),
        (problem(429, "refused", "too many"), HostBusy, "try again later"),
        (problem(401, "unauthorized", "no token"), NotPermitted, "--token-file"),
        (problem(403, "forbidden", "only here"), NotPermitted, "only here"),
        (problem(400, "wrong-request", "not so"), WrongForHost, "not so"),
        (problem(413, "too-large", "too large"), WrongForHost, "too large"),
        (problem(409, "listen", "in use", remedy="choose another"), HostFailed, "in use\n  choose another"),
        (problem(502, "handover-failed", "the successor\ndied\x1b[2J"), HostFailed, "the successor\ndied\\x1b[2J"),
        (problem(500, "defect", "a defect"), HostFailed, "a defect"),
        (problem(422, "settings", "1 problem", problems=[{"message": "no", "remedy": "yes"}]), SettingsError, "no"),
        (problem(422, "settings", "two", problems="?"), HostFailed, "two"),
        (problem(422, "boot", "Error: x", file="a.js", line=2, column=3, stack="at y"), BootError, "a.js:2:3\n  at y"),
        (problem(422, "boot", "Error: x", file=1, line="a", stack=[]), BootError, "Error: x"),
        (problem(409, "", ""), HostFailed, "T"),
        (Said(502, b"<html>", "text/html"), HostFailed, "not of a kind that isolated gives"),
        (Said(500, b"[" * 100_000, "application/problem+json"), HostFailed, "not of a kind"),
        (Said(500, b"[]", "application/problem+json"), HostFailed, "not of a kind"),
        (Said(301, b"", headers={"Location": "/"}), HostFailed, "the answer was 301"),
    ],
)  # fmt: skip
def test_what_the_host_refuses_becomes_an_error(
    api: ControlApi, client: Client, answer: Said, kind: type[IsolatedError], says: str
) -> None:
    api.script("GET", "/v1/tasks", answer)
    with pytest.raises(IsolatedError) as caught:
        client.ask("GET", "tasks")
    assert type(caught.value) is kind
    assert says in str(caught.value)


def test_problems_of_settings_come_through_whole(api: ControlApi, client: Client) -> None:
    given = {"message": "wrong\n", "remedy": "mend", "allowed": "1 to 2", "field": "limits.mem.heap", "value": "3"}
    api.script("GET", "/v1/status", problem(422, "settings", "wrong", problems=[given, {"value": 4}, "?"]))
    with pytest.raises(SettingsError) as caught:
        client.ask("GET", "status")
    first, second = str(caught.value).split("\n", 3)[:3], caught.value.problems[1]
    assert first == [r"limits.mem.heap: wrong\n (value: 3)", "  allowed: 1 to 2", "  remedy: mend"]
    assert second.value == "4"


def test_answers_that_are_not_what_they_should_be(api: ControlApi, client: Client) -> None:
    api.script("GET", "/v1/tasks", Said(200, b"{"), said({}), said([1]))
    for says in ("not JSON", "expected form", "expected form"):
        with pytest.raises(HostFailed, match=says):
            assert client.ask("GET", "tasks").objects


def test_an_answer_without_end_is_given_up(api: ControlApi, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "ANSWER_BYTES_MAX", 10)
    api.script("GET", "/v1/tasks", said(["x" * 100]))
    with pytest.raises(HostFailed, match="larger than 10 bytes"):
        client.ask("GET", "tasks")


def test_names_stay_in_their_part_of_the_path(api: ControlApi, client: Client) -> None:
    api.tasks["a/../b?c"] = a_task("a/../b?c")
    client.ask("GET", "tasks", "a/../b?c", query={"x": True, "y": None, "z": "&="})
    (asked,) = api.asked
    assert asked.path == "/v1/tasks/a%2F..%2Fb%3Fc"
    assert asked.query == {"x": "true", "z": "&="}


def test_lines_are_followed_until_the_end(api: ControlApi, client: Client) -> None:
    api.script("GET", "/v1/events", chunked(["a\n", "b", "\r\nc\n"]))
    with client.follow("events") as lines:
        assert list(lines) == [b"a", b"b", b"c"]


def test_a_line_that_was_cut_off_is_not_told(api: ControlApi, client: Client) -> None:
    api.script("GET", "/v1/events", chunked(["a\n", "b"], complete=False))
    with client.follow("events") as lines:
        assert list(lines) == [b"a"]


def test_a_line_without_end_is_given_up(api: ControlApi, client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "LINE_BYTES_MAX", 10)
    api.script("GET", "/v1/events", chunked(["x" * 100]))
    with client.follow("events") as lines, pytest.raises(HostFailed, match="longer than 10 bytes"):
        list(lines)


def test_what_goes_wrong_with_a_line_elsewhere_is_not_the_hosts(api: ControlApi, client: Client) -> None:
    api.script("GET", "/v1/events", chunked(["a\n"]))
    with pytest.raises(BrokenPipeError), client.follow("events") as lines:  # noqa: PT012
        next(lines)
        raise BrokenPipeError


def test_a_host_that_refuses_an_upload_early_is_heard(tmp_path: Path) -> None:
    """It answers and closes while the body is still coming."""
    body = problem(413, "too-large", "the bundle is too large").body
    head = b"HTTP/1.1 413 x\r\nContent-Type: application/problem+json\r\nContent-Length: %d\r\n\r\n" % len(body)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "s"))
        listening.listen()

        def serve() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(head + body)

        thread = threading.Thread(target=serve)
        thread.start()
        chunks = (bytes(65536) for _ in range(1000))
        with pytest.raises(WrongForHost, match="the bundle is too large"):
            client_of(tmp_path / "s").upload(chunks, 65_536_000, "bundles", "d")
        thread.join()


# -- HTTPS ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    made = make_certificate(tmp_path_factory.mktemp("tls"))
    return made.certificate, made.key


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    file.chmod(0o600)
    return file


def test_https_with_a_token(certificate: tuple[Path, Path], token_file: Path) -> None:
    with control_api_by_tls(*certificate) as (api, port):
        api.token = TOKEN
        way = Way(parse_address(f"https://localhost:{port}"), str(token_file), str(certificate[0]))
        assert Client(way).ask("GET", "tasks").objects == []


def test_https_without_a_token_is_not_permitted(certificate: tuple[Path, Path]) -> None:
    with control_api_by_tls(*certificate) as (api, port):
        api.token = TOKEN
        client = Client(Way(parse_address(f"https://localhost:{port}"), None, str(certificate[0])))
        with pytest.raises(NotPermitted, match="no valid token"):
            client.ask("GET", "tasks")


def test_a_certificate_that_nobody_vouches_for(certificate: tuple[Path, Path], token_file: Path) -> None:
    """Nor is the token told to such a host."""
    with control_api_by_tls(*certificate) as (api, port):
        client = Client(Way(parse_address(f"https://localhost:{port}"), str(token_file)))
        with pytest.raises(HostUnreachable, match="--ca FILE"):
            client.ask("GET", "tasks")
        assert api.asked == []


def test_a_certificate_for_another_name(certificate: tuple[Path, Path]) -> None:
    with control_api_by_tls(*certificate, "127.0.0.2") as (_, port):
        client = Client(Way(parse_address(f"https://127.0.0.2:{port}"), None, str(certificate[0])))
        with pytest.raises(HostUnreachable, match=r"127\.0\.0\.2"):
            client.ask("GET", "tasks")


@pytest.mark.parametrize("name", ["none.pem", "empty.pem"])
def test_certificates_that_cannot_be_read(tmp_path: Path, name: str) -> None:
    (tmp_path / "empty.pem").touch()
    client = Client(Way(parse_address("https://localhost:1"), None, str(tmp_path / name)))
    with pytest.raises(SettingsError, match="--ca: no certificates"):
        client.ask("GET", "tasks")


def test_a_token_does_not_go_to_a_socket(api: ControlApi, token_file: Path) -> None:
    Client(Way(parse_address(os.environ["ISOLATED_HOST"]), str(token_file))).ask("GET", "tasks")
    assert "authorization" not in api.asked[0].headers


@pytest.mark.parametrize(
    ("content", "mode", "says"),
    [
        (TOKEN, 0o640, "others may read"),
        (TOKEN, 0o604, "others may read"),
        ("", 0o600, "does not hold a token"),
        ("two words", 0o600, "does not hold a token"),
        ("é", 0o600, "does not hold a token"),
        ("a" * (TOKEN_BYTES_MAX + 1), 0o600, "does not hold a token"),
        (None, 0, "No such file"),
    ],
)
def test_token_files_that_are_none(tmp_path: Path, content: str | None, mode: int, says: str) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content)
        file.chmod(mode)
    with pytest.raises(SettingsError) as caught:
        read_token(str(file))
    assert says in str(caught.value)
    assert not content or content[:20] not in str(caught.value)


def test_a_token_from_a_pipe(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    try:
        os.write(writing, TOKEN.encode())
        os.close(writing)
        assert read_token(f"/dev/fd/{reading}") == TOKEN
    finally:
        os.close(reading)
