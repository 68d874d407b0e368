"""The API over TLS with a token, and the figures over plain TCP."""

from __future__ import annotations

import asyncio
import os
import ssl
from dataclasses import replace
from pathlib import Path

import pytest

from supervisor.control.access import read_token
from supervisor.control.options import ControlOptions, RemoteOptions
from supervisor.control.server import ControlServer
from supervisor.errors import ListenError, SettingsError
from supervisor.spec.listen import ListenAddress
from tests.control.asking import TASK, ask, connection, head_of, on_uvloop, raw
from tests.fakes.certificate import Certificate, certificate
from tests.fakes.control import FakeHost

SECRET = "0123456789abcdef" * 2
BEARER = {"Authorization": f"Bearer {SECRET}"}
ANY = ListenAddress("tcp", "127.0.0.1", 0)


@pytest.fixture
def files(folder: Path) -> Certificate:
    return certificate(folder)


@pytest.fixture
def remote(options: ControlOptions, folder: Path, files: Certificate) -> ControlOptions:
    token = folder / "token"
    token.write_text(f"{SECRET}\n")
    token.chmod(0o600)
    return replace(options, remote=RemoteOptions(ANY, files.certificate, files.key, token))


def port_of(server: ControlServer) -> int:
    return int(server.addresses[-1].rpartition(":")[2])


@on_uvloop
async def test_with_the_token_everything_works(host: FakeHost, remote: ControlOptions, files: Certificate) -> None:
    async with ControlServer(host, remote) as server:
        port = port_of(server)
        put = await ask(port, "PUT", "/v1/tasks/shop", TASK, context=files.client(), headers=BEARER)
        assert put.status == 201
        lower = {"authorization": f"bearer {SECRET}"}
        assert (await ask(port, "GET", "/v1/tasks/shop", context=files.client(), headers=lower)).status == 200
        assert (await ask(remote.socket, "GET", "/v1/tasks/shop")).status == 200  # locally as ever


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer"}, {"Authorization": "Bearer " + "0" * 32}, {"Authorization": f"Basic {SECRET}"},
     {"Authorization": SECRET}, {"Authorization": f"Bearer {SECRET[:-1]}"}, {"Authorization": f"Bearer {SECRET}x"},
     {"Authorization": "Bearer \u00e9\u20ac"}, {"Authorization": f"Bearer {SECRET}", "authorization": "Bearer x"}],
)  # fmt: skip
def test_without_the_token_nothing_is_told(
    host: FakeHost, remote: ControlOptions, files: Certificate, headers: dict[str, str]
) -> None:
    @on_uvloop
    async def run() -> None:
        async with ControlServer(host, remote) as server:
            for method, target in (
                ("GET", "/v1/tasks"), ("PUT", "/v1/tasks/shop"), ("GET", "/nowhere"), ("PATCH", "/v1/tasks"),
                ("GET", "/metrics"), ("GET", "/healthz"), ("GET", "/v1/openapi.json"), ("GET", "/v1/tasks/.."),
                ("POST", "/v1/drain"),
            ):  # fmt: skip
                reply = await ask(port_of(server), method, target, context=files.client(), headers=headers)
                assert (reply.status, reply.kind) == (401, "unauthorized")
                assert reply.headers["www-authenticate"].startswith("Bearer")
            assert not host.calls

    run()


@on_uvloop
async def test_a_binary_is_named_on_its_own_machine_only(
    host: FakeHost, remote: ControlOptions, files: Certificate
) -> None:
    async with ControlServer(host, remote) as server:
        body = {"binary": "/usr/bin/isolated"}
        named = await ask(port_of(server), "POST", "/v1/upgrade", body, context=files.client(), headers=BEARER)
        assert (named.status, named.kind) == (403, "forbidden")
        same = await ask(port_of(server), "POST", "/v1/upgrade", context=files.client(), headers=BEARER)
        assert same.status == 200


@on_uvloop
async def test_neither_plain_text_nor_old_tls_is_spoken(
    host: FakeHost, remote: ControlOptions, files: Certificate
) -> None:
    async with ControlServer(host, remote) as server:
        async with connection(port_of(server)) as (reader, writer):
            writer.write(b"GET /v1/tasks HTTP/1.1\r\nHost: a\r\n\r\n")
            assert b"HTTP" not in await reader.read()
        old = files.client()
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await ask(port_of(server), "GET", "/v1/tasks", context=old, headers=BEARER)
        assert not host.calls


@pytest.mark.parametrize(
    ("content", "mode", "what"),
    [
        (SECRET, 0o640, "others may read it (mode 0640)"),
        (SECRET, 0o604, "others may read it (mode 0604)"),
        ("", 0o600, "no token"),
        ("short", 0o600, "no token"),
        ("x" * 1025, 0o600, "no token"),
        (SECRET + "\n" + SECRET, 0o600, "no token"),
        (SECRET + "\u00e9", 0o600, "no token"),
        (None, 0o600, "No such file"),
    ],
)
def test_a_token_file_that_is_none(folder: Path, content: str | None, mode: int, what: str) -> None:
    file = folder / "token"
    if content is not None:
        file.write_text(content)
        file.chmod(mode)
    with pytest.raises(SettingsError) as caught:
        read_token(file)
    (problem,) = caught.value.problems
    assert what in problem.message
    assert (problem.field, str(file) in str(problem.value), bool(problem.remedy)) == ("apiTokenFile", True, True)


def test_a_token_file_that_is_a_folder_or_a_pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe", 0o600)
    for file in (folder, folder / "pipe"):
        with pytest.raises(SettingsError, match=r"not a file|cannot be read"):
            read_token(file)


def test_tls_files_that_do_not_fit_are_settings_errors(
    host: FakeHost, remote: ControlOptions, folder: Path, files: Certificate
) -> None:
    assert remote.remote is not None
    other = certificate(folder, "other")
    garbage = folder / "garbage"
    garbage.write_text("no PEM")
    encrypted = folder / "encrypted.key"
    encrypted.write_text(
        files.key.read_text().replace(
            "PRIVATE KEY-----\n", "PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\n", 1
        )
    )
    wrong = [
        (replace(remote.remote, key=other.key), "apiCert"),
        (replace(remote.remote, key=encrypted), "apiCert"),
        (replace(remote.remote, certificate=garbage), "apiCert"),
        (replace(remote.remote, certificate=folder / "nowhere"), "apiCert"),
        (replace(remote.remote, key=folder / "nowhere"), "apiKey"),
    ]

    @on_uvloop
    async def run() -> None:
        for each, field in wrong:
            with pytest.raises(SettingsError) as caught:
                async with ControlServer(host, replace(remote, remote=each)):
                    pass
            assert caught.value.problems[0].field == field
            assert not remote.socket.exists()

    run()


@on_uvloop
async def test_the_listener_for_figures_tells_nothing_else(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, replace(options, metrics=ANY)) as server:
        port = port_of(server)
        assert (await ask(port, "GET", "/metrics")).body == b"isolated_tasks 0\n"
        assert (await ask(port, "GET", "/healthz")).status == 200
        asked = len(host.calls)
        for method, target in (
            ("GET", "/v1/tasks"),
            ("POST", "/v1/drain"),
            ("GET", "/v1/status"),
            ("GET", "/v1/openapi.json"),
        ):
            assert (await ask(port, method, target)).kind == "no-such-path"
        assert (await ask(port, "POST", "/metrics")).kind == "method"
        assert len(host.calls) == asked


@on_uvloop
async def test_figures_over_a_unix_socket_are_for_the_group_too(host: FakeHost, options: ControlOptions) -> None:
    path = options.socket.with_name("figures")
    figures = ListenAddress("unix", path=str(path))
    async with ControlServer(host, replace(options, metrics=figures)) as server:
        assert server.addresses == (f"unix:{options.socket}", f"unix:{path}")
        assert path.stat().st_mode & 0o777 == 0o660
        assert (await ask(path, "GET", "/healthz")).status == 200
        assert (await ask(path, "GET", "/v1/tasks")).kind == "no-such-path"
    assert not path.exists()


@on_uvloop
async def test_an_address_in_use_is_told_and_nothing_stays_behind(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, replace(options, metrics=ANY)) as first:
        taken = ListenAddress("tcp", "127.0.0.1", port_of(first))
        second = replace(options, socket=options.socket.with_name("second"), metrics=taken)
        with pytest.raises(ListenError, match="in use"):
            async with ControlServer(host, second):
                pass
        assert not second.socket.exists()
        assert (await ask(port_of(first), "GET", "/healthz")).status == 200


@on_uvloop
async def test_connections_are_bounded(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, replace(options, connections=1)), connection(options.socket) as (reader, writer):
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await head_of(reader))[0] == 200
        reply = await raw(options.socket, b"")
        assert (reply.status, reply.kind, reply.headers["retry-after"]) == (503, "refused", "1")


@on_uvloop
async def test_connections_that_do_not_get_done_with_a_head_are_closed(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, replace(options, keep_alive=0.05)):
        for data in (b"", b"GET / HT", b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /he"):
            async with connection(options.socket) as (reader, writer):
                writer.write(data)
                await reader.read()  # to the end of the connection
        await asyncio.sleep(0)


@on_uvloop
async def test_token_and_certificate_are_read_anew_for_what_comes(
    host: FakeHost, remote: ControlOptions, files: Certificate, folder: Path
) -> None:
    assert remote.remote is not None
    other, secret = certificate(folder, "other"), "f" * 32
    async with ControlServer(host, remote) as server:
        port = port_of(server)
        assert (await ask(port, "GET", "/v1/tasks", context=files.client(), headers=BEARER)).status == 200
        os.replace(other.certificate, files.certificate)
        os.replace(other.key, files.key)
        remote.remote.token_file.write_text(secret)
        names = server.reload()
        assert names == tuple(map(str, (files.certificate, files.key, remote.remote.token_file)))
        trusting = files.client()  # which reads the new one
        assert (await ask(port, "GET", "/v1/tasks", context=trusting, headers=BEARER)).status == 401
        fresh = {"Authorization": f"Bearer {secret}"}
        assert (await ask(port, "GET", "/v1/tasks", context=trusting, headers=fresh)).status == 200


@pytest.mark.parametrize("bad", ["token", "certificate", "key", "gone", "mode"])
def test_a_bad_file_is_refused_and_the_old_ones_stay(
    host: FakeHost, remote: ControlOptions, files: Certificate, folder: Path, bad: str
) -> None:
    assert remote.remote is not None
    token, trusting = remote.remote.token_file, files.client()
    other = certificate(folder, "other")

    @on_uvloop
    async def run() -> None:
        async with ControlServer(host, remote) as server:
            if bad == "token":
                token.write_text("short")
            elif bad == "mode":
                token.chmod(0o644)
            else:
                token.write_text("f" * 32)
            if bad == "certificate":
                files.certificate.write_text("no PEM")
            elif bad == "key":
                os.replace(other.key, files.key)
            elif bad == "gone":
                files.key.unlink()
            with pytest.raises(SettingsError, match=r"apiTokenFile|apiCert|apiKey"):
                server.reload()
            assert (await ask(port_of(server), "GET", "/v1/tasks", context=trusting, headers=BEARER)).status == 200

    run()


@on_uvloop
async def test_without_tls_there_is_nothing_to_read_anew(host: FakeHost, options: ControlOptions) -> None:
    async with ControlServer(host, options) as server:
        assert server.reload() == ()
