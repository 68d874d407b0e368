"""Takes packages from Debian with the machine's apt and a state of our own: the machine's lists, cache, hooks and
package database are neither read nor written. Its network settings (proxies, certificates) are taken over."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from .faults import Cause, Fault
from .process import NO_SPACE, disk_full, failure, run
from .stamps import write_atomically

KEYRINGS = tuple(
    Path("/usr/share/keyrings") / name for name in ("debian-archive-keyring.pgp", "debian-archive-keyring.gpg")
)
BAD_SIGNATURE = re.compile(
    r"NO_PUBKEY|BADSIG|EXPKEYSIG|REVKEYSIG|is not signed|not signed by|invalid signature|Sub-process /usr/bin/sqv|"
    r"signatures? (?:couldn't|could not) be verified|is no longer signed|Missing key",
)
NETWORK_REMEDY = "check the network and the mirror; ISOLATED_DEBIAN_MIRROR names another one"


@dataclass(frozen=True)
class Package:
    """One package of one version, as apt names them."""

    name: str
    version: str


class Apt:
    """apt-get with a private state in `folder`."""

    def __init__(self, folder: Path, *, mirror: str, suite: str, architecture: str) -> None:
        self._folder = folder
        self._mirror = mirror
        self._suite = suite
        self._architecture = architecture

    def update(self) -> None:
        """Fetches the indexes; apt checks their signature. Raises Fault(NETWORK | SIGNATURE | DISK)."""
        self._prepare()
        try:
            self._apt("update", "--error-on=any", cause=Cause.NETWORK, what="fetching Debian's package indexes")
        except Fault as fault:
            raise self._why(fault) from None

    def closure(self, names: tuple[str, ...]) -> list[Package]:
        """Returns the packages with all that they depend on. Raises Fault(PACKAGE)."""
        output = self._apt("install", "--simulate", *names, cause=Cause.PACKAGE, what="resolving dependencies")
        found = re.findall(r"^Inst (\S+) (?:\[\S+\] )?\((\S+) ", output, re.MULTILINE)
        if not found:
            raise Fault(Cause.PACKAGE, "apt resolved the packages to nothing", output=output)
        return [Package(name.partition(":")[0], version) for name, version in found]

    def download(self, packages: list[Package], folder: Path) -> None:
        """Puts the packages' files into `folder`. Those already there with the right hash are not fetched again."""
        folder.mkdir(parents=True, exist_ok=True)
        wanted = [f"{package.name}={package.version}" for package in packages]
        try:
            self._apt("download", *wanted, cause=Cause.NETWORK, what="downloading packages", cwd=folder)
        except Fault as fault:
            raise self._why(fault) from None

    def _apt(self, *arguments: str, cause: Cause, what: str, cwd: Path | None = None) -> str:
        extra = {"APT_CONFIG": str(self._folder / "apt.conf")}
        return run(["apt-get", "-q", "--yes", *arguments], cause, what, cwd=cwd, extra=extra, remedy=NETWORK_REMEDY)

    def _why(self, fault: Fault) -> Fault:
        """Tells a bad signature from a dead mirror: apt ends with 100 for both."""
        if BAD_SIGNATURE.search(fault.output):
            return Fault(
                Cause.SIGNATURE,
                f"the indexes of {self._mirror} ({self._suite}) are not signed by Debian",
                remedy="use another mirror, or update the package debian-archive-keyring",
                output=fault.output,
            )
        if fault.cause is Cause.NETWORK:
            message = f"{self._mirror} cannot be used: {fault.message}"
            return failure(Cause.NETWORK, message, fault.output, NETWORK_REMEDY)
        return fault

    def _prepare(self) -> None:
        """Writes the private settings. `APT_CONFIG` is read first, so it says that the machine's are not to follow."""
        for name in ("lists/partial", "archives/partial", "empty"):
            (self._folder / name).mkdir(parents=True, exist_ok=True)
        (self._folder / "status").touch()
        write_atomically(self._folder / "debian.sources", self._source())
        write_atomically(self._folder / "apt.conf", self._settings())

    def _source(self) -> str:
        return (
            f"Types: deb\nURIs: {self._mirror}\nSuites: {self._suite}\nComponents: main\n"
            f"Architectures: {self._architecture}\nSigned-By: {keyring()}\n"
        )

    def _settings(self) -> str:
        own = {
            "Dir::Etc::Main": "/dev/null",
            "Dir::Etc::Parts": str(self._folder / "empty"),
            "Dir::Etc::SourceList": str(self._folder / "debian.sources"),
            "Dir::Etc::SourceParts": str(self._folder / "empty"),
            "Dir::Etc::Preferences": "/dev/null",
            "Dir::Etc::PreferencesParts": str(self._folder / "empty"),
            "Dir::State": str(self._folder),
            "Dir::State::Lists": str(self._folder / "lists"),
            "Dir::State::Status": str(self._folder / "status"),
            "Dir::Cache": str(self._folder),
            "APT::Architecture": self._architecture,
            "APT::Install-Recommends": "false",
            "APT::Install-Suggests": "false",
            "APT::Sandbox::User": "root",  # apt's own user may not be allowed to read the folder of the checkout
            "Acquire::Languages": "none",
            "Acquire::Retries": "1",
            "Acquire::http::Timeout": "20",
            "Acquire::https::Timeout": "20",
        }
        lines = [f"{name} {json.dumps(value)};" for name, value in own.items()]
        lines.append(f'APT::Architectures {{ "{self._architecture}"; }};')
        return "\n".join([*network_settings(), *lines]) + "\n"


def network_settings() -> list[str]:
    """The machine's own settings of how apt reaches the network: proxies, certificates, dates."""
    dump = run(["apt-config", "dump"], Cause.MACHINE, "reading apt's settings")
    kept = r"Acquire::(?:https?|ftp|Check-Date|Check-Valid-Until|Queue-Mode|ForceIPv[46])\b"
    return [line for line in dump.splitlines() if re.match(kept, line, re.IGNORECASE)]


def keyring() -> Path:
    """The file of Debian's public keys. Raises Fault(TOOLS)."""
    for path in KEYRINGS:
        if path.is_file():
            return path
    raise Fault(Cause.TOOLS, "Debian's keyring is not installed", remedy="apt-get install debian-archive-keyring")


def unpack(archive: Path, target: Path) -> None:
    """Unpacks one package. Raises Fault(PACKAGE | DISK)."""
    run(["dpkg-deb", "--extract", archive, target], Cause.PACKAGE, f"unpacking {archive.name}")


def make_room(folder: Path, needed: int) -> None:
    """Raises Fault(DISK) if the disk under `folder` has less than `needed` bytes left."""
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(folder).free < needed:
        raise disk_full(f"{folder}: {NO_SPACE}")
