"""A booting host's side: asks for its settings and its key until they come; the console says what it waits for."""

from __future__ import annotations

import os
import re
import secrets
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from supervisor.boot.commandline import BootWords
from supervisor.boot.keys import TAKER, KeyRefused, client_tls, is_keys
from supervisor.errors import IsolatedError, SettingsError

ANSWER_S = 20.0  # for one answer; those that matter are some KiB
SIZE_MAX = 2**20
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 30.0  # between two attempts, doubled each time
CA_FILE = Path("/etc/isolated/boot-ca.pem")
KEY_FILE = Path("/etc/isolated/cluster.key")


class NotYet(IsolatedError):
    """Something did not come; it is asked for again."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Where things are written to, and whom to trust for the key."""

    config: Path
    key: Path = KEY_FILE
    ca: Path = CA_FILE


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to go on, in seconds; None: for ever. `say`: one line for the console."""

    give_up_s: float | None
    say: Callable[[str], object]
    sleep: Callable[[float], object] = time.sleep
    clock: Callable[[], float] = time.monotonic

    def until_done[T](self, attempt: Callable[[], T]) -> T:
        """What `attempt` returns once it does not raise NotYet. The last NotYet when patience ends."""
        started, wait = self.clock(), FIRST_WAIT_S
        while True:
            try:
                return attempt()
            except NotYet as why:
                if self.give_up_s is not None and self.clock() - started + wait > self.give_up_s:
                    raise
                self.say(f"{why.message}; trying again in {wait:g} s")
            self.sleep(wait)
            wait = min(wait * 2, LONGEST_WAIT_S)


def fetch_all(words: BootWords, targets: Targets, patience: Patience) -> None:
    """Writes the settings file and, if the command line tells of one, the key with mode 0600. NotYet; KeyRefused.

    A key that is there already is kept: it came in this boot, for the file is in memory on a host without disks.
    """
    if words.config is not None:
        url = words.config
        patience.until_done(lambda: _fetch_config(url, targets.config, words))
        patience.say(f"settings from {url}")
    if words.token is not None and words.key is not None and not targets.key.exists():
        token, key = words.token, words.key
        taker = secrets.token_urlsafe(32)  # the same at each attempt: an answer may be lost after the key was given
        patience.until_done(lambda: _fetch_key(token, key, targets, taker))
        patience.say(f"cluster key from {key}")


def tell_joined(words: BootWords, patience: Patience) -> None:
    """Tells the boot server that the host serves. NotYet."""
    if words.joined is not None:
        url = words.joined
        patience.until_done(lambda: ask(url, method="POST"))


def ask(
    url: str, *, method: str = "GET", headers: Mapping[str, str] | None = None, tls: ssl.SSLContext | None = None
) -> bytes:
    """The body of a good answer. NotYet with the reason else; headers, which hold secrets, do not follow redirects."""
    request = urllib.request.Request(url, method=method, data=b"" if method == "POST" else None)  # noqa: S310
    for name, value in (headers or {}).items():
        request.add_unredirected_header(name, value)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=tls))
    try:
        with opener.open(request, timeout=ANSWER_S) as answer:
            body: bytes = answer.read(SIZE_MAX + 1)
    except urllib.error.HTTPError as refused:
        with refused:
            said = refused.read(200).decode(errors="replace").strip().partition("\n")[0]
        raise NotYet(f"{url} answers {refused.code}: {said or refused.reason}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise NotYet(f"{url} cannot be reached: {reason}") from None
    if len(body) > SIZE_MAX:
        raise NotYet(f"{url} answers with more than {SIZE_MAX} bytes")
    return body


def _fetch_config(url: str, target: Path, words: BootWords) -> None:
    """Settings that a host would not start with are not taken: the operator sees why on the console.

    Who the host is and what it was booted with is added where they do not say so.
    """
    from supervisor.spec.settings_load import load_settings  # seconds on a slow machine, and not for --joined

    body = _named(ask(url), words)
    new = target.with_name(target.name + ".new")
    _write(new, body, 0o644)
    try:
        load_settings(str(new))
    except SettingsError as wrong:
        new.unlink()
        raise NotYet(f"{url} is not a settings file: {wrong.problems[0].message}") from None
    new.rename(target)


def _named(body: bytes, words: BootWords) -> bytes:
    """Before all else, as nothing may follow a table of TOML but its own."""
    said = {"hostId": words.host, "imageId": words.image}
    missing = {
        name: value
        for name, value in said.items()
        if value is not None and re.search(rf"^\s*{name}\s*=".encode(), body, re.MULTILINE) is None
    }
    return "".join(f'{name} = "{value}"\n' for name, value in missing.items()).encode() + body


def _fetch_key(token_url: str, key_url: str, targets: Targets, taker: str) -> None:
    try:
        tls = client_tls(targets.ca)
    except KeyRefused as refused:
        raise NotYet(refused.message) from None
    token = ask(token_url, method="POST").decode("ascii", "replace").strip()
    headers = {"Authorization": f"Bearer {token}", TAKER: taker}
    text = ask(key_url, method="POST", headers=headers, tls=tls).decode("ascii", "replace")
    if not is_keys(text):
        raise NotYet(f"{key_url} does not answer with keys")
    new = targets.key.with_name(targets.key.name + ".new")
    try:
        new.unlink(missing_ok=True)
        _write(new, text.encode(), 0o600)
        new.rename(targets.key)
    except OSError as error:
        raise NotYet(f"{targets.key} cannot be written: {error.strerror}") from None


def _write(path: Path, data: bytes, mode: int) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode), "wb") as file:
            file.write(data)
    except OSError as error:
        raise NotYet(f"{path} cannot be written: {error.strerror}") from None
