"""TLS by the cluster's key: who has it is served, everybody else gets no byte of an answer."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from supervisor.cluster.keys import PEERS, ClusterKey
from supervisor.cluster.peers.psk import KeyRing, PeerKey
from tests.control.asking import on_uvloop
from tests.fakes.certificate import certificate
from tests.fakes.relay import relay

KEY, OTHER, THIRD = (ClusterKey(bytes(range(n, n + 32))) for n in (0, 50, 100))
RING = KeyRing([KEY])
QUESTION, ANSWER = b"what is the secret?\n", b"the secret is 42\n"


@asynccontextmanager
async def served(context: ssl.SSLContext, asked: list[bytes] | None = None) -> AsyncIterator[int]:
    """A server's port: answers a line with a line."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            line = await reader.readline()
            if asked is not None and line:
                asked.append(line)
            writer.write(ANSWER)
            await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def ask(port: int, context: ssl.SSLContext | None) -> tuple[bytes, ssl.SSLObject | None]:
    """What comes back, and what TLS says of the connection."""
    name = None if context is None else "localhost"
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name)
    try:
        writer.write(QUESTION)
        return await reader.read(), writer.get_extra_info("ssl_object")
    finally:
        writer.close()


async def refused(port: int, context: ssl.SSLContext) -> None:
    try:
        answer, _ = await ask(port, context)
    except ssl.SSLError, ConnectionError:
        return
    assert answer == b""  # the end may come after the client's own part of the handshake is done


@on_uvloop
async def test_who_has_the_key_is_answered() -> None:
    async with served(RING.server_context()) as port:
        answer, connection = await ask(port, RING.client_context())
    assert answer == ANSWER
    assert connection is not None
    assert connection.version() == "TLSv1.3"
    cipher = connection.cipher()
    assert cipher is not None
    assert cipher[0] in ("TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256")
    assert connection.getpeercert() is None  # the key alone made it
    assert connection.session_reused


def a_client(identity: str, secret: bytes) -> ssl.SSLContext:
    context = RING.client_context()
    context.set_psk_client_callback(lambda _: (identity, secret))
    return context


MINE = PeerKey.of(KEY)


@pytest.mark.parametrize(
    "client",
    [
        KeyRing([OTHER]).client_context(),
        KeyRing([OTHER, KEY]).client_context(),  # calls are made by the first alone
        a_client(MINE.identity, PeerKey.of(OTHER).secret),
        a_client(MINE.identity, KEY.secret),  # the cluster key itself is none of the derived ones
        a_client(MINE.identity, KEY.derived("serf")),
        a_client(MINE.identity, MINE.secret[:-1]),
        a_client(MINE.identity, b"\0"),
        a_client("", MINE.secret),
        a_client("nobody", b"\0"),
        a_client(MINE.identity.upper() + "x", MINE.secret),
        ssl.create_default_context(),  # no key at all
    ],
    ids=["other", "order", "wrong", "cluster", "serf", "short", "zero", "unnamed", "nobody", "spelled", "none"],
)
def test_a_wrong_key_or_none_gets_nothing(client: ssl.SSLContext) -> None:
    @on_uvloop
    async def run() -> None:
        asked: list[bytes] = []
        async with served(RING.server_context(), asked) as port:
            await refused(port, client)
            assert not asked
            assert (await ask(port, RING.client_context()))[0] == ANSWER

    run()


@on_uvloop
async def test_a_server_without_the_key_is_told_nothing() -> None:
    asked: list[bytes] = []
    for server in (KeyRing([OTHER]).server_context(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)):
        async with served(server, asked) as port:
            await refused(port, RING.client_context())
    assert not asked


@on_uvloop
async def test_a_server_that_shows_a_certificate_instead_is_told_nothing(tmp_path: Path) -> None:
    mine = certificate(tmp_path)  # for localhost, which is where the client connects to
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(mine.certificate, mine.key)
    asked: list[bytes] = []
    async with served(server, asked) as port:
        assert (await ask(port, mine.client()))[0] == ANSWER  # a good one for who trusts it
        asked.clear()
        await refused(port, RING.client_context())
    assert not asked


@on_uvloop
async def test_plain_text_and_old_tls_get_nothing() -> None:
    async with served(RING.server_context()) as port:
        for data in (QUESTION, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\x16\x03\x01\x00\x05hello", bytes(600)):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(data)
            writer.write_eof()
            answer = await reader.read()
            assert len(answer) <= 7  # an alert of TLS, or nothing
            writer.close()
        old = RING.client_context()
        old.minimum_version = ssl.TLSVersion.TLSv1_2
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        old.set_ciphers("PSK:@SECLEVEL=0")
        await refused(port, old)


@on_uvloop
async def test_what_was_recorded_cannot_be_played_again() -> None:
    asked: list[bytes] = []
    async with served(RING.server_context(), asked) as port, relay(port) as wire:
        assert (await ask(wire.port, RING.client_context()))[0] == ANSWER
        assert len(asked) == 1
        (recorded,) = wire.recordings
        sent = bytes(recorded.sent)
        for data in (sent, sent[: hello_length(sent)]):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(data)
            if data is not sent:
                writer.write_eof()
            answer = await reader.read()
            assert ANSWER not in answer
            writer.close()
        assert len(asked) == 1, "a replayed request was served"


@on_uvloop
async def test_a_recorded_server_cannot_play_the_server() -> None:
    async with served(RING.server_context()) as port, relay(port) as wire:
        await ask(wire.port, RING.client_context())
        recorded = bytes(wire.recordings[0].received)
    got = bytearray()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        got.extend(await reader.read(65536))
        writer.write(recorded)
        got.extend(await reader.read())
        writer.close()

    impostor = await asyncio.start_server(connected, "127.0.0.1", 0)
    await refused(impostor.sockets[0].getsockname()[1], RING.client_context())
    impostor.close()
    assert got
    assert QUESTION not in got


@on_uvloop
async def test_the_same_words_never_look_the_same_and_only_a_name_of_the_key_is_to_be_seen() -> None:
    async with served(RING.server_context()) as port, relay(port) as wire:
        for _ in range(2):
            await ask(wire.port, RING.client_context())
        seen = wire.everything
        one, other = (bytes(each.sent) for each in wire.recordings)
    assert MINE.identity.encode() in seen
    for secret in (QUESTION.strip(), ANSWER.strip(), KEY.secret, MINE.secret):
        assert secret not in seen
    assert one[-40:] != other[-40:]


@on_uvloop
async def test_every_handshake_has_a_diffie_hellman_exchange() -> None:
    async with served(RING.server_context()) as port, relay(port) as wire:
        for _ in range(2):
            await ask(wire.port, RING.client_context())
        hellos = [(extensions(bytes(each.sent)), extensions(bytes(each.received))) for each in wire.recordings]
    for client, server in hellos:
        assert client[PSK_MODES] == b"\x01\x01"  # one mode, psk_dhe_ke: never the key alone
        assert PRE_SHARED_KEY in server
        assert len(server[KEY_SHARE]) > 32
        assert EARLY_DATA not in client
    assert hellos[0][1][KEY_SHARE] != hellos[1][1][KEY_SHARE]


@on_uvloop
async def test_no_session_outlives_its_key() -> None:
    ring = KeyRing([KEY])
    context = ring.client_context()
    async with served(ring.server_context()) as port:
        answer, session = await asyncio.to_thread(ask_with, port, context, None)
        assert answer == ANSWER
        ring.become([OTHER])
        context.set_psk_client_callback(None)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.to_thread(ask_with, port, context, session)


def ask_with(port: int, context: ssl.SSLContext, session: ssl.SSLSession | None) -> tuple[bytes, ssl.SSLSession | None]:
    """The same over a blocking socket, which can go on with a session of before."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=60) as plain,
        context.wrap_socket(plain, session=session) as sock,
    ):
        sock.sendall(QUESTION)
        return sock.recv(1000), sock.session


@on_uvloop
async def test_keys_are_rotated_without_a_call_that_fails() -> None:
    one, other = KeyRing([KEY]), KeyRing([KEY])
    server, client = one.server_context(), other.client_context()
    async with served(server) as port:
        for ring, keys in (
            (one, [KEY, OTHER]), (other, [KEY, OTHER]), (other, [OTHER, KEY]), (one, [OTHER, KEY]), (one, [OTHER]),
        ):  # fmt: skip
            ring.become(keys)
            assert (await ask(port, client))[0] == ANSWER
        other.become([KEY])
        await refused(port, client)


def test_identities_tell_keys_apart_and_nothing_of_them() -> None:
    identities = {PeerKey.of(key).identity for key in (KEY, OTHER, THIRD)}
    assert len(identities) == 3
    assert KEY.derived(PEERS).hex()[:8] not in identities
    assert MINE.secret.hex() not in repr(MINE)


# RFC 8446, 4.2
PRE_SHARED_KEY, EARLY_DATA, PSK_MODES, KEY_SHARE = 41, 42, 45, 51


def hello_length(data: bytes) -> int:
    """The bytes of the first record."""
    return 5 + int.from_bytes(data[3:5])


def extensions(data: bytes) -> dict[int, bytes]:
    """The extensions of the hello that a recorded side begins with (RFC 8446, 4.1.2 and 4.1.3)."""
    body = data[9 : hello_length(data)]  # without the headers of the record and of the message
    kind = data[5]
    place = 34 + 1 + body[34]
    if kind == 1:
        place += 2 + int.from_bytes(body[place : place + 2])
        place += 1 + body[place]
    else:
        place += 3
    end = place + 2 + int.from_bytes(body[place : place + 2])
    place += 2
    found = {}
    while place < end:
        length = int.from_bytes(body[place + 2 : place + 4])
        found[int.from_bytes(body[place : place + 2])] = body[place + 4 : place + 4 + length]
        place += 4 + length
    return found
