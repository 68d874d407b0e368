"""A machine is started by its management controller, by TLS on loopback."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from supervisor.cluster.power.failures import WakeFailed
from supervisor.cluster.power.redfish import Patience, power_on
from supervisor.spec.redfish import Redfish
from tests.cluster.power.machines import secret
from tests.fakes.certificate import Certificate, certificate
from tests.fakes.management_controller import RESET, SYSTEM, FakeController, refusal, served

PATIENT = Patience(request_s=60.0, on_s=120.0, poll_s=0.01)
SOON = Patience(request_s=60.0, on_s=3.0, poll_s=0.01)  # but enough for the first look on a busy machine


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def controller() -> FakeController:
    return FakeController()


@pytest.fixture
async def way(tmp_path: Path, controller: FakeController, identity: Certificate) -> AsyncIterator[Redfish]:
    """How the machine behind `controller` is started."""
    file = secret(tmp_path, f"{controller.user}:{controller.password}\n")
    async with served(controller, identity) as origin:
        yield Redfish(origin, SYSTEM, str(file), str(identity.certificate))


async def failure(way: Redfish, patience: Patience = PATIENT) -> str:
    with pytest.raises(WakeFailed) as caught:
        await power_on(way, patience)
    assert caught.value.remedy or "only" in caught.value.message
    return caught.value.message


async def test_a_machine_that_is_off_is_started_and_watched_until_it_is_on(
    way: Redfish, controller: FakeController
) -> None:
    await power_on(way, PATIENT)
    assert controller.resets == ["On"]
    assert controller.state == "On"
    assert controller.states == []
    assert controller.logged_in == 0


@pytest.mark.parametrize("state", ["On", "PoweringOn"])
async def test_a_machine_that_is_on_or_coming_is_not_started_again(
    way: Redfish, controller: FakeController, state: str
) -> None:
    controller.state, controller.states, controller.started = state, [state, "On"], True
    await power_on(way, PATIENT)
    assert controller.resets == []
    assert controller.state == "On" or state == "On"


async def test_where_basic_credentials_are_not_taken_a_session_is_opened_and_closed(
    way: Redfish, controller: FakeController
) -> None:
    controller.basic = False
    await power_on(way, PATIENT)
    assert controller.resets == ["On"]
    assert (controller.logged_in, controller.logged_out) == (1, 1)


async def test_a_session_is_closed_after_a_failure_too(way: Redfish, controller: FakeController) -> None:
    controller.basic, controller.answer = False, refusal(403, "not you")
    assert await failure(way) == f"{SYSTEM} refuses to start: 403, not you"
    assert (controller.logged_in, controller.logged_out) == (1, 1)


async def test_a_session_that_does_not_say_where_it_is_will_do(way: Redfish, controller: FakeController) -> None:
    controller.basic, controller.location = False, False
    await power_on(way, PATIENT)
    assert controller.resets == ["On"]


@pytest.mark.parametrize(("basic", "sessions"), [(True, True), (True, False), (False, True), (False, False)])
async def test_wrong_credentials_are_told(
    tmp_path: Path, way: Redfish, controller: FakeController, basic: bool, sessions: bool
) -> None:
    controller.basic, controller.sessions = basic, sessions
    secret(tmp_path, "operator:wrong")
    message = await failure(way)
    assert message.startswith("the credentials are refused: 401, w")
    assert "wrong\n" not in message
    assert controller.resets == []


@pytest.mark.parametrize(
    ("text", "mode", "says"),
    [
        ("operator:x", 0o640, "others may read it (mode 0640)"),
        ("operator", 0o600, "it does not hold user:password"),
        (":x", 0o600, "it does not hold user:password"),
        ("a:b\nc:d\n", 0o600, "it does not hold user:password"),
        (b"a:\xff", 0o600, "it does not hold user:password"),
        ("a:" + "x" * 1100, 0o600, "it does not hold user:password"),
    ],
)
async def test_a_file_that_holds_no_credentials_or_is_not_secret_is_told(
    tmp_path: Path, way: Redfish, controller: FakeController, text: str | bytes, mode: int, says: str
) -> None:
    file = secret(tmp_path, text, mode)
    assert await failure(way) == f"{file}: {says}"
    assert controller.headers == []


async def test_a_missing_file_is_told(tmp_path: Path, way: Redfish) -> None:
    missing = dataclasses.replace(way, credentials=str(tmp_path / "missing"))
    assert "cannot be read: No such file" in await failure(missing)


async def test_who_is_not_trusted_learns_no_password(
    tmp_path: Path, way: Redfish, controller: FakeController, identity: Certificate
) -> None:
    other = certificate(tmp_path, "other")
    for ca in (None, str(other.certificate)):
        message = await failure(dataclasses.replace(way, ca=ca))
        assert message.startswith(f"the certificate of {way.origin} is not trusted: ")
    elsewhere = dataclasses.replace(way, origin=way.origin.replace("127.0.0.1", "127.0.0.2"))
    async with forwarded(elsewhere.origin, way.origin):
        assert "mismatch" in (await failure(elsewhere))
    assert controller.headers == []


class Pipe(asyncio.Protocol):
    """One direction of a connection, passed on."""

    def __init__(self, other: asyncio.WriteTransport) -> None:
        self._other = other

    def data_received(self, data: bytes) -> None:
        self._other.write(data)


@asynccontextmanager
async def forwarded(origin: str, to: str) -> AsyncIterator[None]:
    """While it lasts, the address of `origin` leads to that of `to`."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward, _ = await asyncio.get_running_loop().create_connection(lambda: Pipe(writer.transport), *split(to))
        while data := await reader.read(2**16):
            onward.write(data)
        onward.close()
        writer.close()

    async with await asyncio.start_server(serve, *split(origin)):
        yield


def split(origin: str) -> tuple[str, int]:
    host, _, port = origin.removeprefix("https://").rpartition(":")
    return host, int(port)


async def test_a_ca_that_is_no_certificate_is_told(tmp_path: Path, way: Redfish) -> None:
    file = secret(tmp_path, "nothing", name="ca.pem")
    assert (
        await failure(dataclasses.replace(way, ca=str(file))) == f"{file} cannot be used as ca: it holds no certificate"
    )
    file.unlink()
    assert "No such file" in await failure(dataclasses.replace(way, ca=str(file)))


async def test_a_name_that_leads_to_the_systems_id_is_followed(way: Redfish, controller: FakeController) -> None:
    controller.redirect = SYSTEM
    await power_on(dataclasses.replace(way, path="/redfish/v1/Systems/name"), PATIENT)
    assert controller.resets == ["On"]


@pytest.mark.parametrize("where", ["https://127.0.0.1:1/redfish/v1/Systems/1", "//127.0.0.1:1/x", "x", "http://a/"])
async def test_credentials_never_go_to_another_machine(way: Redfish, controller: FakeController, where: str) -> None:
    controller.redirect = where
    assert "leads elsewhere" in await failure(dataclasses.replace(way, path="/redfish/v1/Systems/name"))
    controller.redirect, controller.target = None, where
    assert "leads elsewhere" in await failure(way)
    assert controller.resets == []


async def test_who_leads_in_circles_is_not_followed_for_ever(way: Redfish, controller: FakeController) -> None:
    controller.redirect = "/redfish/v1/Systems/name"
    assert "leads in circles" in await failure(dataclasses.replace(way, path=controller.redirect))


async def test_a_system_that_is_not_there_is_told(way: Redfish) -> None:
    message = await failure(dataclasses.replace(way, path="/redfish/v1/Systems/2"))
    assert message == "there is no system /redfish/v1/Systems/2 there: 404, no such resource"


@pytest.mark.parametrize(
    ("allowed", "target", "told"),
    [(None, None, "On"), (["ForceOff", "ForceOn"], RESET, "ForceOn"), (["ForceOn", "On"], None, "On")],
)
async def test_a_reset_that_the_system_allows_is_chosen(
    way: Redfish, controller: FakeController, allowed: list[str] | None, target: str | None, told: str
) -> None:
    controller.allowed, controller.target = allowed, target
    await power_on(way, PATIENT)
    assert controller.resets == [told]


async def test_a_system_that_cannot_be_started_is_told(way: Redfish, controller: FakeController) -> None:
    controller.allowed = ["ForceOff", "Nmi\x1b"]
    assert await failure(way) == f"{SYSTEM} cannot be told to start, only ForceOff, Nmi\\x1b"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (refusal(400, "fans\x1b[2J are missing"), "refuses to start: 400, fans\\x1b[2J are missing"),
        (web.json_response({"error": {"message": "x" * 500}}, status=409), "x…"),
        (web.json_response([1], status=409), "refuses to start: 409"),
        (web.Response(status=400, text="<html>"), "refuses to start: 400"),
        (web.json_response({"error": 7}, status=400), "refuses to start: 400"),
        (refusal(503, "later"), "is not ready: 503, later"),
        (web.Response(status=400, body=b"x" * (2**20 + 1)), "answers more than a Redfish service does"),
    ],
)
async def test_a_refused_start_is_told_in_the_controllers_words(
    way: Redfish, controller: FakeController, answer: web.Response, says: str
) -> None:
    controller.answer = answer
    message = await failure(way)
    assert message.endswith(says)
    assert len(message) < 400


async def test_a_controller_that_misses_answers_while_the_machine_starts_is_asked_again(
    way: Redfish, controller: FakeController
) -> None:
    waking = asyncio.create_task(power_on(way, PATIENT))
    controller.states = [*["Off"] * 5, "On"]
    async with asyncio.timeout(60):
        while not controller.resets:
            await asyncio.sleep(0.005)
    controller.busy = 3
    await waking
    assert controller.busy == 0


@pytest.mark.parametrize("state", ["Off", None])
async def test_a_machine_that_does_not_come_is_told_at_the_deadline(
    way: Redfish, controller: FakeController, state: str | None
) -> None:
    controller.state, controller.states = state, []
    assert await failure(way, SOON) == f"{way.origin}{SYSTEM} is {state or 'silent'} and not On after 3 s"
    assert controller.resets == ["On"]


async def test_a_controller_that_does_not_answer_is_told(way: Redfish, controller: FakeController) -> None:
    controller.silent = True
    message = await failure(way, dataclasses.replace(PATIENT, request_s=0.5))
    assert message == f"{way.origin} cannot be reached: no answer within 0.5 s"


async def test_a_controller_that_is_not_there_is_told(way: Redfish) -> None:
    with socket.socket() as taken:  # bound and not listening: nobody else gets the port meanwhile
        taken.bind(("127.0.0.1", 0))
        message = await failure(dataclasses.replace(way, origin=f"https://127.0.0.1:{taken.getsockname()[1]}"))
    assert "cannot be reached: " in message


async def test_what_is_not_redfish_is_told(tmp_path: Path, way: Redfish, identity: Certificate) -> None:
    class Page(FakeController):
        async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
            return web.Response(text="<html>")

    async with served(Page(), identity) as origin:
        assert "not answered as by a Redfish service: 200" in await failure(dataclasses.replace(way, origin=origin))
