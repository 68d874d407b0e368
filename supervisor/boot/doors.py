"""What machines ask for by HTTP: scripts, files, configuration, tokens, the key."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import tarfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from supervisor.boot import apkovl, ipxe
from supervisor.boot.identity import Identity, parse_identity
from supervisor.boot.ipxe import Served
from supervisor.boot.journal import Stage
from supervisor.boot.keys import TAKER, read_keys
from supervisor.boot.network import mac_of
from supervisor.boot.rack import Place, image_for, place_of
from supervisor.boot.settings import BootSettings
from supervisor.boot.shelf import APKOVL, COMMAND_LINE, ImageRefused, NoSuchFile, Shelf
from supervisor.boot.story import Story
from supervisor.boot.tokens import Answer, Tokens
from supervisor.boot.transfer import send_file
from supervisor.errors import IsolatedError
from supervisor.spec.refused import Refused

type Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
SCHEME = "bearer"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request of a machine: who it says that it is, and its place."""

    identity: Identity
    place: Place

    @property
    def mac(self) -> str:
        """Its MAC address."""
        return self.identity.mac


class Doors:
    """The handlers. Loop thread; files are read on others. `neighbour`: who has an address, as the kernel knows."""

    def __init__(
        self,
        settings: BootSettings,
        served: Served,
        shelf: Shelf,
        story: Story,
        *,
        heard: Callable[[Identity], object],
        neighbour: Callable[[str], str | None] = mac_of,
    ) -> None:
        self._settings = settings
        self._served = served
        self._shelf = shelf
        self._story = story
        self._heard = heard
        self._neighbour = neighbour
        self._tokens = Tokens(settings.token_s)

    def plain(self) -> web.Application:
        """What is served without TLS: nothing that may not be read by everybody on the network."""
        application = web.Application(middlewares=[_told])
        application.add_routes([
            web.get("/boot.ipxe", self.first_script),
            web.get("/images/{version}/{name:.+}", self.image_file),
            web.get("/machines/{machine}/boot.ipxe", self.script),
            web.get("/machines/{machine}/isolated.toml", self.config),
            web.get("/machines/{machine}/apkovl.tar.gz", self.apkovl),
            web.post("/machines/{machine}/token", self.token),
            web.post("/machines/{machine}/joined", self.joined),
        ])  # fmt: skip
        return application

    def private(self) -> web.Application:
        """What is served by TLS: the key, and nothing else."""
        application = web.Application(middlewares=[_told])
        application.add_routes([web.post("/machines/{machine}/key", self.key)])
        return application

    async def first_script(self, request: web.Request) -> web.StreamResponse:
        """The script that is the same for all."""
        return _text(ipxe.FIRST)

    async def script(self, request: web.Request) -> web.StreamResponse:
        """A machine's own script. It waits and asks again while there is no image that could be served."""
        asked = self._asked(request)
        if asked.identity.uuid is not None:
            self._heard(asked.identity)
        try:
            version = image_for(asked.place, asked.identity, self._shelf.promotion())
            if version is None:
                raise ImageRefused("no image is promoted", "promote one: isolated boot-server promote VERSION")
            text = await asyncio.to_thread(self._script, asked, version)
        except ImageRefused as refused:
            self._story.refused(asked.mac, refused.message)
            return _text(ipxe.waiting_script(refused.message, self._served))
        self._story.script(asked.mac, asked.place.name, version)
        return _text(text)

    def _script(self, asked: Asked, version: str) -> str:
        """Checks the image first: a machine is not sent to fetch what is broken."""
        self._shelf.check_bootable(version)
        words = f"{self._shelf.text(version, COMMAND_LINE)} {asked.place.words}"
        try:
            return ipxe.boot_script(
                asked.identity, version, name=asked.place.name, words=words, served=self._served,
                key=asked.place.may_have_key,
            )  # fmt: skip
        except ValueError as error:
            raise ImageRefused(str(error), "shorten the words of the image or of the group") from None

    async def image_file(self, request: web.Request) -> web.StreamResponse:
        """A file of an image; whoever asks, since nothing in it is secret."""
        version, name = request.match_info["version"], request.match_info["name"]
        mac = self._neighbour(request.remote or "")
        try:
            file = await asyncio.to_thread(self._shelf.open, version, name)
        except ImageRefused as refused:
            if mac is not None:
                self._story.refused(mac, refused.message)
            raise
        response, whole = await send_file(request, file, os.fstat(file.fileno()).st_size)
        if whole:
            self._story.file(mac, version, name)
        return response

    async def config(self, request: web.Request) -> web.StreamResponse:
        """The settings file of `isolated serve`; an empty one, which is all defaults, if there is none."""
        asked = self._asked(request)
        file = asked.place.config
        try:
            text = "" if file is None else await asyncio.to_thread(file.read_text)
        except (OSError, UnicodeDecodeError) as error:
            self._story.refused(asked.mac, f"{file} cannot be read")
            raise IsolatedError(f"{file} cannot be read: {error}") from None
        self._story.passed(asked.mac, Stage.CONFIG)
        return _text(text or "# The defaults.\n", "application/toml")

    async def apkovl(self, request: web.Request) -> web.StreamResponse:
        """What Alpine lays over its root: the image's, with the machine's name and the CA added."""
        asked = self._asked(request)
        version = image_for(asked.place, asked.identity, self._shelf.promotion())
        if version is None:
            raise ImageRefused("no image is promoted")
        data = await asyncio.to_thread(self._apkovl, version, asked.place.name)
        self._story.passed(asked.mac, Stage.APKOVL)
        return web.Response(body=data, content_type="application/gzip")

    def _apkovl(self, version: str, name: str) -> bytes:
        try:
            with self._shelf.open(version, APKOVL) as file:
                base: bytes | None = file.read()
        except NoSuchFile:
            base = None
        ca = None if self._settings.ca is None else self._settings.ca.read_bytes()
        try:
            return apkovl.merged(base, apkovl.machine_files(name, ca))
        except tarfile.TarError as error:
            raise ImageRefused(f"image {version}: {APKOVL} is not such an archive: {error}") from None

    async def token(self, request: web.Request) -> web.StreamResponse:
        """A one-time token for the key: to the very machine, until another one got the key in this boot."""
        asked = self._asked(request)
        why = self._why_no_key(asked, request)
        if why is not None:
            self._story.refused(asked.mac, why, asked="token", by=request.remote)
            raise web.HTTPForbidden(text=f"{why}\n")
        secret = self._tokens.hand_out(str(asked.identity), secrets.token_urlsafe(32), time.monotonic())
        return _text(f"{secret}\n")

    async def key(self, request: web.Request) -> web.StreamResponse:
        """The cluster's keys, against a token that was not used yet: to one asker in a boot, who may ask again."""
        asked = self._asked(request)
        scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
        given = self._tokens.use(
            secret.strip() if scheme.lower() == SCHEME else "", str(asked.identity), time.monotonic()
        )
        why = self._why_no_key(asked, request) or (None if given is Answer.GIVEN else given.value)
        text, taker = "", _taker(request)
        if why is None:
            assert self._settings.key_file is not None
            text = await asyncio.to_thread(read_keys, self._settings.key_file)
            if not self._story.journal.of(asked.mac).is_key_for(taker):  # only now: others ask while a file is read
                why = "another process or machine got the key in this boot; boot the machine again"
        if why is not None:
            self._story.refused(asked.mac, why, asked="key", by=request.remote)
            raise web.HTTPForbidden(text=f"{why}\n")
        self._story.key_given(asked.mac, taker)
        return _text(text)

    async def joined(self, request: web.Request) -> web.StreamResponse:
        """A host says that it serves."""
        asked = self._asked(request)
        self._story.passed(asked.mac, Stage.JOINED)
        return web.Response(status=204)

    def _why_no_key(self, asked: Asked, request: web.Request) -> str | None:
        if not asked.place.may_have_key or self._settings.key_file is None:
            return "its group may not have the key, or no table of the settings has its MAC address"
        progress = self._story.journal.of(asked.mac)
        if not progress.key_due and not progress.key_taker:
            return "it has not fetched its script since it got the key last"
        if self._neighbour(request.remote or "") != asked.mac:
            return f"the request came from {request.remote}, which is another machine's address"
        return None

    def _asked(self, request: web.Request) -> Asked:
        try:
            identity = parse_identity(request.match_info["machine"])
        except Refused as refused:
            raise web.HTTPNotFound(text=f"{refused.message}\n") from None
        place = place_of(identity, self._settings)
        if place is None:
            self._story.refused(identity.mac, "no table of the settings has it", by="http")
            raise web.HTTPForbidden(text="this machine is in no table of the boot server's settings\n")
        return Asked(identity, place)


@web.middleware
async def _told(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Makes answers of errors that a person can act upon; the remedy is for the operator's eyes alone."""
    try:
        return await handler(request)
    except NoSuchFile as error:
        return web.Response(status=404, text=f"{error.message}\n")
    except IsolatedError as error:
        return web.Response(status=503, text=f"{error.message}\n")


def _taker(request: web.Request) -> str:
    """The digest of the secret that the asker showed; '' if it showed none."""
    secret = request.headers.get(TAKER, "")
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest() if secret else ""


def _text(text: str, kind: str = "text/plain") -> web.Response:
    return web.Response(text=text, content_type=kind, headers={"Cache-Control": "no-store"})
