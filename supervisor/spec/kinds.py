"""Kinds of values that settings of the host have: parsing, range, unit and spelling of each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from supervisor.spec.cores import format_cores, parse_cores
from supervisor.spec.host_id import is_host_id
from supervisor.spec.listen import ALLOWED, UNIX_PATH_BYTES, ListenAddress, parse_listen
from supervisor.spec.refused import Refused
from supervisor.spec.texts import parse_folder
from supervisor.spec.units import SIZE, TIME, Quantity

_WHOLE = re.compile(r"[+-]?\d{1,40}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d{1,40}(\.\d{0,40})?|\.\d{1,40})", re.ASCII)
_CORES = re.compile(r"\d{1,4}(-\d{1,4})?(,\d{1,4}(-\d{1,4})?)*", re.ASCII)
_INTERFACE = re.compile(r"(?!\.{1,2}$)[^\s/:,]{1,15}", re.ASCII)  # IFNAMSIZ less the closing NUL


class Kind(Protocol):
    """How the values of a setting are written and held."""

    @property
    def unit(self) -> str:
        """What a value is, in a word or two, for the documentation."""

    @property
    def allowed(self) -> str:
        """What may be written, with its range."""

    def parse(self, value: object) -> Any:
        """The value as it is held, from one of a file; raises Refused."""

    def read(self, text: str) -> object:
        """What `text` would have been in a file. Never raises: what is not a number stays a text."""

    def tell(self, value: Any) -> str:
        """A held value as a person writes it."""


class _Plain:
    """A kind whose values are texts in files too."""

    def read(self, text: str) -> object:
        """`text` itself."""
        return text

    def tell(self, value: Any) -> str:
        """The value as a text."""
        return str(value)


@dataclass(frozen=True, slots=True)
class Count(_Plain):
    """A whole number of something."""

    unit: str
    low: int
    high: int

    @property
    def allowed(self) -> str:
        """The range."""
        return f"a whole number from {self.low} to {self.high}"

    def parse(self, value: object) -> int:
        """The number."""
        if isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high:
            return value
        raise Refused("not a count that can be kept", allowed=self.allowed, remedy="write a number in that range")

    def read(self, text: str) -> object:
        """Digits are a number."""
        return int(text) if _WHOLE.fullmatch(text) else text


@dataclass(frozen=True, slots=True)
class Share(_Plain):
    """A part of a whole."""

    low: float
    high: float
    unit: str = "share"

    @property
    def allowed(self) -> str:
        """The range."""
        return f"a number from {self.low:g} to {self.high:g}"

    def parse(self, value: object) -> float:
        """The number."""
        if isinstance(value, int | float) and not isinstance(value, bool) and self.low <= value <= self.high:
            return float(value)
        raise Refused(
            "not such a share", allowed=self.allowed, remedy=f"write for example {(self.low + self.high) / 2:g}"
        )

    def read(self, text: str) -> object:
        """Digits, with or without a point, are a number."""
        return float(text) if _NUMBER.fullmatch(text) else text

    def tell(self, value: Any) -> str:
        """The number in its shortest form."""
        return f"{value:g}"


@dataclass(frozen=True, slots=True)
class Amount(_Plain):
    """An amount with a unit; `low` and `high` in what the quantity counts, held as that divided by `scale`."""

    quantity: Quantity
    low: int
    high: int
    unit: str
    scale: int = 1

    @property
    def allowed(self) -> str:
        """The range."""
        return f"{self.quantity.tell(self.low)} to {self.quantity.tell(self.high)}"

    def parse(self, value: object) -> float:
        """The amount."""
        amount = self.quantity.parse(value)
        if not self.low <= amount <= self.high:
            raise Refused(
                f"{self.quantity.tell(float(amount))} is out of range",
                allowed=self.allowed,
                remedy=f"write an amount within that, with its unit: a number alone counts {self.quantity.counted}",
            )
        return int(amount) if self.scale == 1 else float(amount / self.scale)

    def read(self, text: str) -> object:
        """Digits alone count plain units, as in a file."""
        return int(text) if _WHOLE.fullmatch(text) else text

    def tell(self, value: Any) -> str:
        """The amount in the largest unit that fits."""
        return self.quantity.tell(value * self.scale)


def size(low: int, high: int) -> Amount:
    """Bytes."""
    return Amount(SIZE, low, high, "size")


def seconds(low: int, high: int) -> Amount:
    """A time from `low` to `high` seconds, held in seconds. A bare number counts milliseconds, as in task files."""
    return Amount(TIME, low * 1000, high * 1000, "time", scale=1000)


@dataclass(frozen=True, slots=True)
class File(_Plain):
    """The absolute path of a file or folder. `socket`: short enough for a Unix socket."""

    socket: bool = False
    unit: str = "path"

    @property
    def allowed(self) -> str:
        """What paths."""
        return "an absolute path" + (f" of at most {UNIX_PATH_BYTES} bytes" if self.socket else "")

    def parse(self, value: object) -> Path:
        """The path, without '.', '..' and doubled slashes."""
        path = parse_folder(value)
        length = len(path.encode())
        if self.socket and length > UNIX_PATH_BYTES:
            remedy = "choose a shorter path, for example under /run"
            raise Refused(f"the path has {length} bytes, too many for a socket", allowed=self.allowed, remedy=remedy)
        if self.socket and (path == "/" or str(value).endswith("/")):
            raise Refused("a folder, not a socket", allowed=self.allowed, remedy="end with the name of the socket")
        return Path(path)


@dataclass(frozen=True, slots=True)
class Address(_Plain):
    """Where to listen. `unix`: whether a Unix socket will do; `usual`: the port of examples."""

    unix: bool
    usual: int = 8443
    unit: str = "address"

    @property
    def allowed(self) -> str:
        """What addresses."""
        return ALLOWED if self.unix else ALLOWED.replace(", '[IPv6]:port' or 'unix:/path'", " or '[IPv6]:port'")

    def parse(self, value: object) -> ListenAddress:
        """The address in its canonical form."""
        address = parse_listen(value, self.usual)
        if address.kind == "unix" and not self.unix:
            remedy = f"write for example '127.0.0.1:{self.usual}'; for a Unix socket there is `socket`"
            raise Refused("not an address of the network", allowed=self.allowed, remedy=remedy)
        return address


@dataclass(frozen=True, slots=True)
class Choice(_Plain):
    """One of a few words."""

    words: tuple[str, ...]
    unit: str = "word"

    @property
    def allowed(self) -> str:
        """All of them."""
        return ", ".join(self.words)

    def parse(self, value: object) -> str:
        """The word."""
        if isinstance(value, str) and value in self.words:
            return value
        raise Refused("not one of the words", allowed=self.allowed, remedy=f"write for example '{self.words[0]}'")


@dataclass(frozen=True, slots=True)
class Switch:
    """Yes or no."""

    unit: str = "switch"
    allowed: str = "true or false"

    def parse(self, value: object) -> bool:
        """The switch."""
        if isinstance(value, bool):
            return value
        raise Refused("not a yes or no", allowed=self.allowed, remedy="write true or false, without quotes")

    def read(self, text: str) -> object:
        """The two words."""
        return {"true": True, "false": False}.get(text.lower(), text)

    def tell(self, value: Any) -> str:
        """The word."""
        return str(value).lower()


@dataclass(frozen=True, slots=True)
class Interfaces(_Plain):
    """Names of network interfaces."""

    unit: str = "names"
    allowed: str = "a list of interface names, or 'none'"

    def parse(self, value: object) -> tuple[str, ...]:
        """The names in order, each once. A text has commas between them."""
        names = [name.strip() for name in value.split(",")] if isinstance(value, str) else value
        if names in ([], ["none"]):
            return ()
        if isinstance(names, list) and all(isinstance(name, str) and _INTERFACE.fullmatch(name) for name in names):
            return tuple(dict.fromkeys(names))
        remedy = "write for example ['eth0'], or 'eth0,lo'; `ip link` lists those that are"
        raise Refused("not names of interfaces", allowed=self.allowed, remedy=remedy)

    def tell(self, value: Any) -> str:
        """The names with commas between them."""
        return ",".join(value) or "none"


@dataclass(frozen=True, slots=True)
class CoreList(_Plain):
    """Cores of the machine, in the kernel's way of writing them."""

    unit: str = "cores"
    allowed: str = "a list like '0-3,6'"

    def parse(self, value: object) -> tuple[int, ...]:
        """The cores in order."""
        try:
            if isinstance(value, int) and not isinstance(value, bool):
                value = str(value)
            if isinstance(value, list):
                value = ",".join(map(str, value))
            if isinstance(value, str) and _CORES.fullmatch(value.strip()):
                return tuple(sorted(parse_cores(value)))
        except ValueError:
            pass
        raise Refused("not a list of cores", allowed=self.allowed, remedy="`lscpu -e` lists the cores")

    def tell(self, value: Any) -> str:
        """The shortest form."""
        return format_cores(value)


@dataclass(frozen=True, slots=True)
class Addresses(_Plain):
    """Addresses of other hosts; none of them a Unix socket, none with port 0. `usual`: the port of examples."""

    usual: int
    unit: str = "addresses"
    allowed: str = "a list of 'host:port' or '[IPv6]:port'"

    def parse(self, value: object) -> tuple[str, ...]:
        """The addresses in their canonical form, each once. A text has commas between them."""
        texts = [each.strip() for each in value.split(",") if each.strip()] if isinstance(value, str) else value
        if not isinstance(texts, list):
            first, second = f"10.0.0.1:{self.usual}", f"10.0.0.2:{self.usual}"
            remedy = f"write for example ['{first}'], or '{first},{second}'"
            raise Refused("not a list of addresses", allowed=self.allowed, remedy=remedy)
        return tuple(dict.fromkeys(str(_of_others(each, self.usual)) for each in texts))

    def tell(self, value: Any) -> str:
        """The addresses with commas between them."""
        return ",".join(value)


def _of_others(value: object, usual: int) -> ListenAddress:
    address = Address(unix=False, usual=usual).parse(value)
    if address.port == 0:
        raise Refused(
            "port 0 is where nobody listens",
            allowed=Addresses.allowed,
            remedy="write the port that the hosts listen on",
        )
    return address


@dataclass(frozen=True, slots=True)
class HostName(_Plain):
    """The id of a host."""

    unit: str = "id"
    allowed: str = "1 to 64 of a-z 0-9 and -, neither first nor last a -"

    def parse(self, value: object) -> str:
        """The id."""
        if isinstance(value, str) and is_host_id(value):
            return value
        raise Refused("not the id of a host", allowed=self.allowed, remedy="write for example 'rack1-host7'")


@dataclass(frozen=True, slots=True)
class Text(_Plain):
    """Any text of one line."""

    unit: str = "text"
    allowed: str = "a text of one line"

    def parse(self, value: object) -> str:
        """The text."""
        if isinstance(value, str) and value.isprintable() and len(value) <= 10_000:
            return value
        raise Refused("not a text of one line", allowed=self.allowed, remedy="write it in quotes, on one line")
