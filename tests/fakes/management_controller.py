"""A management controller that speaks the little of Redfish (DSP0266) by which a machine is started."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.fakes.certificate import Certificate

SYSTEM = "/redfish/v1/Systems/1"
RESET = f"{SYSTEM}/Actions/ComputerSystem.Reset"
SESSIONS = "/redfish/v1/SessionService/Sessions"
TOKEN = "the token"


@dataclass(slots=True)
class FakeController:
    """What a test sets and sees. By default the machine is off, and on at the second look after it was started."""

    state: str | None = "Off"
    states: list[str | None] = field(default_factory=lambda: ["PoweringOn", "On"])  # one for each look after a reset
    basic: bool = True  # whether Basic credentials are taken
    sessions: bool = True  # whether there are sessions
    location: bool = True  # whether a new session says where it is
    user: str = "operator"
    password: str = "pass:word"
    allowed: list[str] | None = field(default_factory=lambda: ["On", "ForceOff"])
    target: str | None = RESET
    redirect: str | None = None  # where /redfish/v1/Systems/name leads
    answer: web.Response | None = None  # to a reset, in the place of doing it
    busy: int = 0  # so many looks are answered with 503
    silent: bool = False  # nothing is ever answered
    resets: list[str] = field(default_factory=list)
    logged_in: int = 0
    logged_out: int = 0
    headers: list[dict[str, str]] = field(default_factory=list)
    started: bool = False
    over: asyncio.Event = field(default_factory=asyncio.Event)
    origin: str = ""

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Every request."""
        self.headers.append(dict(request.headers))
        if self.silent:
            await self.over.wait()
        route = (request.method, request.path)
        if route == ("GET", "/redfish/v1/"):
            links = {"Sessions": {"@odata.id": SESSIONS}} if self.sessions else {}
            return web.json_response({"Links": links})
        if route == ("POST", SESSIONS) and self.sessions:
            return await self._log_in(request)
        if not self._is_welcome(request):
            return refusal(401, "who are you?")
        if route == ("DELETE", f"{SESSIONS}/7"):
            self.logged_out += 1
            return web.Response(status=204)
        if route == ("GET", "/redfish/v1/Systems/name") and self.redirect:
            return web.Response(status=307, headers={"Location": self.redirect})
        if route == ("GET", SYSTEM):
            return self._look()
        if route == ("POST", RESET):
            return await self._reset(request)
        return refusal(404, "no such resource")

    def _is_welcome(self, request: web.BaseRequest) -> bool:
        basic = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return request.headers.get("X-Auth-Token") == TOKEN or (
            self.basic and request.headers.get("Authorization") == f"Basic {basic}"
        )

    async def _log_in(self, request: web.BaseRequest) -> web.Response:
        if await request.json() != {"UserName": self.user, "Password": self.password}:
            return refusal(401, "wrong name or password")
        self.logged_in += 1
        where = {"Location": f"{self.origin}{SESSIONS}/7"} if self.location else {}
        return web.json_response({}, status=201, headers={"X-Auth-Token": TOKEN, **where})

    def _look(self) -> web.Response:
        if self.busy:
            self.busy -= 1
            return refusal(503, "busy")
        if self.started and self.states:
            self.state = self.states.pop(0)
        reset: dict[str, Any] = {} if self.target is None else {"target": self.target}
        if self.allowed is not None:
            reset["ResetType@Redfish.AllowableValues"] = self.allowed
        return web.json_response({"PowerState": self.state, "Actions": {"#ComputerSystem.Reset": reset}})

    async def _reset(self, request: web.BaseRequest) -> web.Response:
        self.resets.append((await request.json())["ResetType"])
        if self.answer is not None:
            return self.answer
        self.started = True
        return web.Response(status=204)


def refusal(status: int, message: str) -> web.Response:
    """An error as DSP0266 wants it."""
    details = {"message": "see the details", "@Message.ExtendedInfo": [{"Message": message}]}
    return web.json_response({"error": details}, status=status)


@asynccontextmanager
async def served(controller: FakeController, identity: Certificate) -> AsyncIterator[str]:
    """Serves it by TLS on loopback; its origin."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(identity.certificate, identity.key)
    runner = web.ServerRunner(web.Server(controller.handle), shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context)
    await site.start()
    controller.origin = f"https://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield controller.origin
    finally:
        controller.over.set()
        await runner.cleanup()
