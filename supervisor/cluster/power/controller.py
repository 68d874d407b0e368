"""HTTP with a management controller: one origin, JSON, Basic credentials or a session (Redfish, DSP0266)."""

from __future__ import annotations

import base64
import json
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
from yarl import URL

from supervisor.cluster.power.credentials import Credentials
from supervisor.cluster.power.failures import ControllerSilent, WakeFailed, cut

ROOT = "/redfish/v1/"
ANSWER_BYTES = 2**20  # a system's document has some 10 kB
REDIRECTS = 3  # a system's name may lead to its id
UNAUTHORIZED, BUSY = 401, 500  # BUSY and above
_PATH = re.compile(r"/(?!/)[!-~]*")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the controller said."""

    status: int
    headers: Mapping[str, str]
    document: Mapping[str, Any]  # empty if there was none

    @property
    def is_good(self) -> bool:
        """Whether it did what it was asked."""
        return 200 <= self.status < 300

    @property
    def words(self) -> str:
        """The status, and the controller's own explanation (DSP0266, error responses)."""
        error = self.document.get("error")
        found = error.get("message") if isinstance(error, dict) else None
        details = error.get("@Message.ExtendedInfo") if isinstance(error, dict) else None
        if isinstance(details, list) and details and isinstance(details[0], dict):
            found = details[0].get("Message") or found
        return f"{self.status}" + (f", {cut(found)}" if isinstance(found, str) else "")


class Controller:
    """One conversation, as an async context manager: what was logged in is logged out, for sessions are few."""

    def __init__(self, origin: str, credentials: Credentials, context: ssl.SSLContext, request_s: float) -> None:
        self._origin = origin
        self._credentials = credentials
        self._context = context
        self._timeout = aiohttp.ClientTimeout(total=request_s)
        self._request_s = request_s
        self._proof = {"Authorization": _basic(credentials)}
        self._session: str | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(ssl=self._context)
        self._http = aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), timeout=self._timeout, trust_env=False
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._session is not None:
                await self._ask("DELETE", self._session, None, self._proof)
        except WakeFailed:
            pass  # it ends by itself after a while
        finally:
            await self._http.close()

    async def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Answer:
        """The answer, of whatever status but 401; WakeFailed: the credentials are refused, or ControllerSilent."""
        answer = await self._ask(method, path, body, self._proof)
        if answer.status == UNAUTHORIZED and self._session is None:
            await self._log_in(answer)  # some controllers have Basic turned off
            answer = await self._ask(method, path, body, self._proof)
        if answer.status == UNAUTHORIZED:
            raise _unwelcome(answer)
        return answer

    def path(self, link: object) -> str:
        """The path that a link of a document or a header leads to; WakeFailed if it leads to another machine."""
        text = link.removeprefix(self._origin) if isinstance(link, str) else ""
        if not _PATH.fullmatch(text):
            raise WakeFailed(f"{self._origin} leads elsewhere: {cut(str(link))}", "ask the machine that it leads to")
        return text

    async def _log_in(self, refusal: Answer) -> None:
        """Gets a session; WakeFailed with the words of `refusal` where there are none."""
        root = await self._ask("GET", ROOT, None, {})
        links = root.document.get("Links")
        sessions = links.get("Sessions") if isinstance(links, dict) else None
        if not isinstance(sessions, dict):
            raise _unwelcome(refusal)
        who = {"UserName": self._credentials.user, "Password": self._credentials.password}
        answer = await self._ask("POST", self.path(sessions.get("@odata.id")), who, {})
        token = answer.headers.get("X-Auth-Token")
        if not answer.is_good or not token:
            raise _unwelcome(answer)
        self._proof = {"X-Auth-Token": token}
        if "Location" in answer.headers:
            self._session = self.path(answer.headers["Location"])

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None, proof: Mapping[str, str]) -> Answer:
        for _ in range(REDIRECTS):
            answer = await self._ask_once(method, path, body, proof)
            if answer.status not in (301, 302, 307, 308):
                return answer
            path = self.path(answer.headers.get("Location"))
        raise WakeFailed(f"{self._origin} leads in circles", "write the system's own URL")

    async def _ask_once(
        self, method: str, path: str, body: Mapping[str, Any] | None, proof: Mapping[str, str]
    ) -> Answer:
        headers = {"Accept": "application/json", "OData-Version": "4.0", **proof}
        url = URL(self._origin + path, encoded=True)
        try:
            async with self._http.request(method, url, json=body, headers=headers, allow_redirects=False) as response:
                answer = Answer(response.status, response.headers, _document(await _read(response)))
        except aiohttp.ClientConnectorCertificateError as error:
            why = getattr(error.certificate_error, "verify_message", "") or "it does not fit"
            remedy = "name its certificate, or that of who signed it, with &ca=/path"
            raise WakeFailed(f"the certificate of {self._origin} is not trusted: {cut(why)}", remedy) from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _silent(self._origin, error, self._request_s) from None
        if answer.status >= BUSY:
            raise ControllerSilent(f"{self._origin} is not ready: {answer.words}", "it is tried again later")
        return answer


def client_context(ca: str | None) -> ssl.SSLContext:
    """What checks a controller's certificate and its name; WakeFailed if the file is none."""
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:  # SSLError is one
        why = "it holds no certificate" if isinstance(error, ssl.SSLError) else error.strerror
        raise WakeFailed(f"{cut(str(Path(ca or '')))} cannot be used as ca: {why}", "write a PEM file there") from None


async def _read(response: aiohttp.ClientResponse) -> bytes:
    data = bytearray()
    async for piece in response.content.iter_any():
        data += piece
        if len(data) > ANSWER_BYTES:
            raise WakeFailed(f"{response.url.host} answers more than a Redfish service does", "check the URL")
    return bytes(data)


def _document(data: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(data)
    except ValueError, RecursionError:
        return {}
    return document if isinstance(document, dict) else {}


def _basic(credentials: Credentials) -> str:
    return "Basic " + base64.b64encode(f"{credentials.user}:{credentials.password}".encode()).decode()


def _unwelcome(answer: Answer) -> WakeFailed:
    return WakeFailed(f"the credentials are refused: {answer.words}", "correct the file that `credentials` names")


def _silent(origin: str, error: Exception, request_s: float) -> ControllerSilent:
    why = f"no answer within {request_s:g} s" if isinstance(error, TimeoutError) else cut(str(error))
    return ControllerSilent(f"{origin} cannot be reached: {why}", "check its network, and `curl` with its URL")
