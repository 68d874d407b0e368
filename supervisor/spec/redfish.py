"""A machine that its management controller starts: a Redfish URL, and the files that go with it.

`https://BMC/redfish/v1/Systems/NAME?credentials=/path&ca=/path`; a % in a path, and & and ;, are written %25, %26, %3B.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, NoReturn
from urllib.parse import quote, unquote, urlsplit

from supervisor.spec.listen import parse_listen
from supervisor.spec.refused import Refused
from supervisor.spec.texts import parse_folder

ALLOWED = "https://BMC/redfish/v1/Systems/NAME?credentials=/path, with &ca=/path where its certificate needs one"
HTTPS = 443
_FILES = ("credentials", "ca")
# The unreserved and harmless characters of a segment (RFC 3986), and neither '.' nor '..' alone.
_PATH = re.compile(r"(/redfish/v1/Systems/(?!\.{1,2}/?$)(?:[A-Za-z0-9._~:@!$+,=-]|%[0-9A-Fa-f]{2})+)/?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Redfish:
    """A system of a Redfish service (DSP0266); who may start it stands in a file, never here."""

    scheme: ClassVar[str] = "redfish"

    origin: str  # https://host or https://host:port
    path: str  # of the system
    credentials: str  # a file of mode 0600: user:password
    ca: str | None = None  # a PEM file: the only certificates that are trusted; None: those of the machine

    def __str__(self) -> str:
        ca = "" if self.ca is None else f"&ca={_quoted(self.ca)}"
        return f"{self.origin}{self.path}?credentials={_quoted(self.credentials)}{ca}"


def parse_redfish(text: str) -> Redfish:
    """The system that `text` names; raises Refused, whose words hold nothing of the text."""
    address, _, query = text.partition("?")
    try:
        url = urlsplit(address)
    except ValueError:
        _refuse(
            "not a URL", "write for example https://bmc7.example/redfish/v1/Systems/1?credentials=/etc/isolated/bmc7"
        )
    if "@" in url.netloc:
        _refuse("a URL must not hold a password", "write user:password into a file of mode 0600: ?credentials=/path")
    if url.scheme != "https":
        _refuse("not a URL of https", "begin it with https://; without TLS the password could be read on the way")
    path = _PATH.fullmatch(url.path)
    if path is None or "#" in text:
        _refuse("not the URL of one system", "`curl https://BMC/redfish/v1/Systems` lists them as @odata.id")
    files = _files(query)
    if "credentials" not in files:
        _refuse("the file with user:password is missing", "add ?credentials=/path, a file of mode 0600")
    return Redfish(_origin(url.netloc), path[1], files["credentials"], files.get("ca"))


def _origin(netloc: str) -> str:
    has_port = re.search(r":[0-9]+$", netloc) is not None
    try:
        address = parse_listen(netloc if has_port else f"{netloc}:{HTTPS}")
    except Refused as refused:
        _refuse(refused.message, "write the name or the address of the management controller after https://")
    if address.port == 0:
        _refuse("port 0 is where nobody listens", f"write a port from 1 to 65535, or leave it out for {HTTPS}")
    return f"https://{address}".removesuffix(f":{HTTPS}")


def _files(query: str) -> dict[str, str]:
    files: dict[str, str] = {}
    for part in filter(None, query.split("&")):
        name, _, value = part.partition("=")
        if name not in _FILES:
            _refuse("there is another parameter than credentials and ca", "take it out; both are paths of files")
        if name in files:
            _refuse(f"{name} stands there twice", "take one out")
        files[name] = _file(name, value)
    return files


def _file(name: str, text: str) -> str:
    try:
        path = unquote(text, errors="strict")
        if path.isprintable():
            return parse_folder(path)
    except ValueError:  # not UTF-8, or Refused
        pass
    _refuse(f"{name} is not an absolute path", f"write for example {name}=/etc/isolated/{name}")


def _quoted(path: str) -> str:
    return quote(path, safe="/:@,+~")


def _refuse(message: str, remedy: str) -> NoReturn:
    raise Refused(message, allowed=ALLOWED, remedy=remedy)
