"""What machines ask for by HTTP: files in parts, broken images, paths that lead out, tokens and the key."""

from __future__ import annotations

import asyncio
import io
import ssl
import tarfile
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from supervisor.boot import doors
from supervisor.boot.settings import MachineSettings
from tests.boot.http_rig import KEY, ONE, STRANGER, TWO, Rig, make_image, rig

BODY = b"0123456789" * 100_000


@pytest_asyncio.fixture
async def here(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rig(tmp_path) as made:
        yield made


@pytest_asyncio.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def get(client: aiohttp.ClientSession, url: str, **more: str) -> tuple[int, bytes]:
    async with client.get(url, headers=more) as answer:
        return answer.status, await answer.read()


async def post(
    client: aiohttp.ClientSession,
    url: str,
    token: str | None = None,
    tls: ssl.SSLContext | None = None,
    taker: str | None = None,
) -> tuple[int, str]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    headers |= {} if taker is None else {"Isolated-Taker": taker}
    async with client.post(url, headers=headers, ssl=tls or True) as answer:
        return answer.status, await answer.text()


@pytest.mark.parametrize(
    ("asked", "status", "first", "last"),
    [
        (None, 200, 0, 999_999),
        ("bytes=0-9", 206, 0, 9),
        ("bytes=999990-", 206, 999_990, 999_999),
        ("bytes=-5", 206, 999_995, 999_999),
        ("bytes=5-99999999", 206, 5, 999_999),
    ],
)
async def test_files_come_whole_or_in_part(
    here: Rig, client: aiohttp.ClientSession, asked: str | None, status: int, first: int, last: int
) -> None:
    headers = {} if asked is None else {"Range": asked}
    for method in ("GET", "HEAD"):
        async with client.request(method, f"{here.http}/images/v1/initramfs", headers=headers) as answer:
            assert answer.status == status
            assert answer.headers["Content-Length"] == str(last - first + 1)
            assert answer.headers["Accept-Ranges"] == "bytes"
            assert answer.headers.get("Content-Range") == (None if asked is None else f"bytes {first}-{last}/1000000")
            assert await answer.read() == (BODY[first : last + 1] if method == "GET" else b"")


@pytest.mark.parametrize("asked", ["bytes=1000000-", "bytes=9-1", "lines=1-2", "bytes=x"])
async def test_a_part_that_is_not_there_is_refused(here: Rig, client: aiohttp.ClientSession, asked: str) -> None:
    async with client.get(f"{here.http}/images/v1/initramfs", headers={"Range": asked}) as answer:
        assert answer.status == 416
        assert answer.headers["Content-Range"] == "bytes */1000000"


async def test_a_compressed_file_beside_it_is_never_sent(here: Rig, client: aiohttp.ClientSession) -> None:
    (here.folder / "images/v1/vmlinuz.gz").write_bytes(b"not sealed")
    assert await get(client, f"{here.http}/images/v1/vmlinuz", **{"Accept-Encoding": "gzip"}) == (200, b"kernel")


PATHS = [
    "/images/v1/../../key", "/images/v1/%2e%2e/%2e%2e/key", "/images/v1/..%2f..%2fkey", "/images/%2e%2e/key",
    "/images/v1//etc/passwd", "/images/v1/SHA256SUMS", "/images/..%2f/key", "/images/v1/%00", "/machines/..%2f/token",
]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
async def test_no_path_leads_out(here: Rig, path: str) -> None:
    """Sent as it stands: clients tidy paths up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(here.http.rpartition(":")[2]))
    writer.write(f"GET {path} HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    assert answer.split()[1] in (b"404", b"400", b"405", b"503")
    assert KEY.encode().strip() not in answer
    assert b"root:" not in answer


async def test_a_broken_file_is_refused_and_the_machine_waits_for_a_good_one(
    here: Rig, client: aiohttp.ClientSession
) -> None:
    (here.folder / "images/v1/initramfs").write_bytes(b"x" + BODY[1:])
    status, told = await get(client, f"{here.http}/images/v1/initramfs")
    assert status == 503
    assert b"checksum" in told
    status, script = await get(client, f"{here.machine()}/boot.ipxe")
    assert status == 200
    assert b"kernel" not in script.split(b"echo", 1)[0]
    assert b"sleep" in script
    assert "checksum differs" in here.log.refusals()[-1]
    make_image(here.folder / "images/v1")
    assert b"images/v1/vmlinuz" in (await get(client, f"{here.machine()}/boot.ipxe"))[1]


async def test_an_old_image_and_a_new_one_are_served_side_by_side(here: Rig, client: aiohttp.ClientSession) -> None:
    make_image(here.folder / "images/v2", vmlinuz=b"new")
    macs = [f"52:54:00:00:01:{n:02x}" for n in range(64)]
    promotion = here.shelf.promote("v2", 0.5)
    assert {promotion.version_for(mac) for mac in macs} == {"v1", "v2"}
    for mac in (ONE, TWO):
        _, script = await get(client, f"{here.machine(mac)}/boot.ipxe")
        assert f"images/{promotion.version_for(mac)}/vmlinuz".encode() in script
    assert await get(client, f"{here.http}/images/v1/vmlinuz") == (200, b"kernel")
    assert await get(client, f"{here.http}/images/v2/vmlinuz") == (200, b"new")


@pytest.mark.parametrize("part", ["boot.ipxe", "isolated.toml", "apkovl.tar.gz"])
async def test_a_stranger_gets_nothing(here: Rig, client: aiohttp.ClientSession, part: str) -> None:
    assert (await get(client, f"{here.machine(STRANGER)}/{part}"))[0] == 403
    assert "no table" in here.log.refusals()[-1]
    assert (await get(client, f"{here.http}/machines/nonsense/{part}"))[0] == 404


async def test_a_machine_gets_its_settings_and_its_apkovl(here: Rig, client: aiohttp.ClientSession) -> None:
    assert await get(client, f"{here.machine()}/isolated.toml") == (200, b"warm = 7\n")
    _, data = await get(client, f"{here.machine()}/apkovl.tar.gz")
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        ca, name = (archive.extractfile(each) for each in ("etc/isolated/boot-ca.pem", "etc/hostname"))
        assert ca
        assert ca.read() == here.tls.certificate.read_bytes()
        assert name
        assert name.read() == b"one\n"


async def token(here: Rig, client: aiohttp.ClientSession, mac: str = ONE) -> str:
    """Boots as far as the token."""
    here.who = mac
    await get(client, f"{here.machine(mac)}/boot.ipxe")
    status, text = await post(client, f"{here.machine(mac)}/token")
    assert status == 200
    return text.strip()


async def test_the_key_comes_once_for_a_token(here: Rig, client: aiohttp.ClientSession) -> None:
    secret, tls = await token(here, client), here.tls.client()
    assert await post(client, here.key_url(), secret, tls) == (200, KEY)
    status, told = await post(client, here.key_url(), secret, tls)
    assert status == 403
    assert KEY.strip() not in told
    assert here.log.refusals()
    assert secret not in str(here.log.lines)
    assert KEY.strip() not in str(here.log.lines)


async def test_another_boot_is_another_token(here: Rig, client: aiohttp.ClientSession) -> None:
    tls = here.tls.client()
    assert (await post(client, here.key_url(), await token(here, client), tls))[0] == 200
    assert (await post(client, f"{here.machine()}/token"))[0] == 403  # this boot had its own
    assert (await post(client, here.key_url(), await token(here, client), tls))[0] == 200


async def test_who_got_the_key_gets_it_again_in_the_same_boot_and_nobody_else_does(
    here: Rig, client: aiohttp.ClientSession
) -> None:
    tls = here.tls.client()

    async def again(taker: str | None) -> tuple[int, str]:
        """A token and what it leads to, without another script."""
        return await post(
            client, here.key_url(), (await post(client, f"{here.machine()}/token"))[1].strip(), tls, taker
        )

    secret = await token(here, client)
    assert await post(client, here.key_url(), secret, tls, "mine") == (200, KEY)
    assert (await post(client, here.key_url(), secret, tls, "mine"))[0] == 403  # a token is for one use
    for another in ("another's", "", None):
        status, told = await again(another)
        assert (status, "another process or machine got the key" in told) == (403, True)
    assert "another process or machine" in here.log.refusals()[-1]
    assert await again("mine") == (200, KEY)
    here.who = STRANGER
    assert (await again("mine"))[0] == 403
    here.who = ONE
    assert [more["again"] for _, _, more in here.log.lines if more.get("stage") == "secret"] == [False, True]
    assert "mine" not in str(here.story.journal.machines)
    await token(here, client)  # another boot is anybody's again
    assert await again("another's") == (200, KEY)


async def test_of_two_who_ask_at_once_one_gets_the_key(
    here: Rig, client: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    tls, reading, go_on = here.tls.client(), threading.Semaphore(0), threading.Event()

    def slowly(file: Path) -> str:
        reading.release()
        assert go_on.wait(60)
        return KEY

    monkeypatch.setattr(doors, "read_keys", slowly)
    asking: list[asyncio.Task[tuple[int, str]]] = []
    for taker in ("first", "second"):  # each with a token of its own: the first is used already
        status, secret = await post(client, f"{here.machine()}/token") if asking else (200, await token(here, client))
        assert status == 200
        asking.append(asyncio.create_task(post(client, here.key_url(), secret.strip(), tls, taker)))
        assert await asyncio.to_thread(reading.acquire, timeout=60)
    go_on.set()
    assert sorted(status for status, _ in await asyncio.gather(*asking)) == [200, 403]


async def test_another_machines_token_is_refused_and_void(here: Rig, client: aiohttp.ClientSession) -> None:
    tls = here.tls.client()
    await token(here, client, TWO)
    secret = await token(here, client, ONE)
    here.who = TWO
    status, told = await post(client, here.key_url(TWO), secret, tls)
    assert (status, "another machine" in told) == (403, True)
    here.who = ONE
    assert (await post(client, here.key_url(ONE), secret, tls))[0] == 403


@pytest.mark.parametrize("who", [TWO, STRANGER, None])
async def test_who_only_says_that_it_is_the_machine_gets_neither_token_nor_key(
    here: Rig, client: aiohttp.ClientSession, who: str | None
) -> None:
    secret = await token(here, client)
    here.who = who
    assert (await post(client, f"{here.machine()}/token"))[0] == 403
    assert (await post(client, here.key_url(), secret, here.tls.client()))[0] == 403
    assert "another machine's address" in here.log.refusals()[-1]


async def test_a_machine_known_by_its_uuid_alone_gets_no_key(tmp_path: Path, client: aiohttp.ClientSession) -> None:
    """The UUID travels in clear: who has seen it says it, with a MAC address that is its own."""
    uuid = "4c4c4544-0042-3510-8052-b4c04f4e3332"
    async with rig(tmp_path, machines={"two": MachineSettings(uuid=uuid, group="web")}) as here:
        here.who = STRANGER
        name = f"{STRANGER}_{uuid}"
        status, script = await get(client, f"{here.machine(name)}/boot.ipxe")
        assert (status, b"isolated.key" in script) == (200, False)
        assert (await post(client, f"{here.machine(name)}/token"))[0] == 403
        assert (await post(client, here.key_url(name), "guessed", here.tls.client()))[0] == 403
        assert "no table of the settings has its MAC address" in here.log.refusals()[-1]


async def test_without_a_boot_there_is_no_token(here: Rig, client: aiohttp.ClientSession) -> None:
    assert (await post(client, f"{here.machine()}/token"))[0] == 403
    assert "has not fetched its script" in here.log.refusals()[-1]


async def test_a_token_is_void_once_it_is_late(tmp_path: Path, client: aiohttp.ClientSession) -> None:
    async with rig(tmp_path, token_s=0.0) as here:
        status, told = await post(client, here.key_url(), await token(here, client), here.tls.client())
        assert (status, "expired" in told) == (403, True)


async def test_the_key_is_not_to_be_had_without_tls(here: Rig, client: aiohttp.ClientSession) -> None:
    secret = await token(here, client)
    for method in ("GET", "POST"):
        async with client.request(
            method, f"{here.machine()}/key", headers={"Authorization": f"Bearer {secret}"}
        ) as answer:
            assert answer.status == 404
    with pytest.raises(aiohttp.ClientConnectorCertificateError):
        await post(client, here.key_url(), secret)  # with the system's authorities, which do not know ours


async def test_a_key_file_that_others_may_read_is_not_given_out(here: Rig, client: aiohttp.ClientSession) -> None:
    secret = await token(here, client)
    (here.folder / "key").chmod(0o644)
    status, told = await post(client, here.key_url(), secret, here.tls.client())
    assert status == 503
    assert KEY.strip() not in told


async def test_the_stations_of_a_boot_are_told_in_order(here: Rig, client: aiohttp.ClientSession) -> None:
    secret = await token(here, client)
    for name in ("vmlinuz", "initramfs"):
        await get(client, f"{here.http}/images/v1/{name}")
    for part in ("apkovl.tar.gz", "isolated.toml"):
        await get(client, f"{here.machine()}/{part}")
    await post(client, here.key_url(), secret, here.tls.client())
    await post(client, f"{here.machine()}/joined")
    told = [more["stage"] for _, event, more in here.log.lines if event == "machine"]
    assert told == ["script", "kernel", "initramfs", "apkovl", "config", "secret", "joined"]
    assert here.story.journal.of(ONE).stage == "joined"


async def test_a_machine_known_by_its_uuid_is_heard_of(here: Rig, client: aiohttp.ClientSession) -> None:
    uuid = "4c4c4544-0042-3510-8052-b4c04f4e3332"
    await get(client, f"{here.machine()}_{uuid}/boot.ipxe")
    assert [str(each) for each in here.heard] == [f"52-54-00-00-00-01_{uuid}"]
