"""Checks of what lies on disk: images, loaders, configurations, the key and its certificate."""

from __future__ import annotations

import os
import pwd
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path

from supervisor.boot.checks.finding import Finding, error, warning
from supervisor.boot.dnsmasq_conf import BIOS_LOADER, UEFI_LOADER
from supervisor.boot.keys import client_tls, read_keys, server_tls
from supervisor.boot.manifest import MANIFEST
from supervisor.boot.settings import BootSettings, GroupSettings, MachineSettings
from supervisor.boot.shelf import APKOVL, NEEDED, PROMOTED, ImageRefused, NoSuchFile, Shelf
from supervisor.errors import IsolatedError, SettingsError
from supervisor.spec.settings_load import load_settings


def check_images(settings: BootSettings) -> Iterator[Finding]:
    """Every file of every version against its checksum, what is promoted, and who may read it."""
    shelf = Shelf(settings.images)
    versions = shelf.versions()
    if not versions:
        yield error(f"{settings.images} has no sealed image", "see alpine/README.md; isolated boot-server seal VERSION")
    for version in versions:
        yield from _check_version(shelf, version)
        if settings.transfer == "tftp":
            for name in NEEDED:
                yield from check_readable(settings.images / version / name, settings.dnsmasq_user)
    for folder in sorted(settings.images.iterdir()) if settings.images.is_dir() else []:
        if folder.is_dir() and folder.name not in versions:
            yield warning(f"{folder} is not sealed and is not served", f"isolated boot-server seal {folder.name}")
    yield from _check_wanted(settings, shelf, versions)


def _check_version(shelf: Shelf, version: str) -> Iterator[Finding]:
    try:
        shelf.check_bootable(version)
        names = shelf.checksums(version)
    except ImageRefused as refused:
        yield error(refused.message, refused.remedy)
        return
    for name in names:
        try:
            shelf.open(version, name).close()
        except (ImageRefused, NoSuchFile) as refused:
            yield error(refused.message, refused.remedy)
    folder = shelf.folder / version
    others = {each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()} - {MANIFEST, *names}
    if others:
        yield warning(
            f"image {version} has {min(others)}, which was not sealed", f"isolated boot-server seal {version}"
        )
    if APKOVL not in names and "modloop" in names:
        yield warning(f"image {version} is Alpine's and has no {APKOVL}", "put it there: alpine/genapkovl-isolated.sh")


def _check_wanted(settings: BootSettings, shelf: Shelf, versions: list[str]) -> Iterator[Finding]:
    try:
        promotion = shelf.promotion()
    except ImageRefused as refused:
        yield error(refused.message, refused.remedy)
        return
    if promotion.stable is None and _relies_on_promotion(settings):
        yield error("no image is promoted", "isolated boot-server promote VERSION")
    wanted = {PROMOTED: promotion.stable, f"{PROMOTED} (canary)": promotion.canary}
    wanted |= {name: each.image for name, each in _tables(settings).items()}
    for who, version in wanted.items():
        if version is not None and version not in versions:
            yield error(f"{who} wants image {version}, which is not there", "put it there and seal it, or want another")


def _tables(settings: BootSettings) -> dict[str, GroupSettings | MachineSettings]:
    groups = {f"groups.{name}": group for name, group in settings.groups.items()}
    return groups | {f"machines.{name}": machine for name, machine in settings.machines.items()}


def _relies_on_promotion(settings: BootSettings) -> bool:
    groups = {name: group.image for name, group in settings.groups.items()}
    images = [each.image or groups.get(each.group) for each in settings.machines.values()]
    if settings.unknown is not None:
        images.append(groups.get(settings.unknown))
    return not images or None in images


def check_loaders(settings: BootSettings) -> Iterator[Finding]:
    """The programs that firmware fetches first."""
    for name, kind in ((BIOS_LOADER, "BIOS"), (UEFI_LOADER, "UEFI")):
        file = settings.loaders / name
        if not file.is_file():
            yield warning(
                f"{file} is missing: machines with {kind} firmware do not boot", "install ipxe; set `loaders`"
            )
        else:
            yield from check_readable(settings.state_dir, settings.dnsmasq_user)


def check_readable(path: Path, user: str) -> Iterator[Finding]:
    """Whether a user who is not root may read a file: its own rights, and those of every folder above it."""
    try:
        owner = pwd.getpwnam(user)
        if owner.pw_uid == 0:
            return
        for each in (*reversed(path.parents), path):
            if not _may(each.stat(), owner, stat.S_ISDIR(each.stat().st_mode)):
                change = f"chmod o+{'x' if each.is_dir() else 'r'} {each}"
                yield error(f"{user}, as whom dnsmasq runs, may not read {path}: {each} is closed to it", change)
                return
    except KeyError:
        yield error(f"there is no user {user}", "correct `dnsmasqUser`, or add the user")
    except FileNotFoundError:
        return  # it is missing, which another check says


def _may(status: os.stat_result, user: pwd.struct_passwd, folder: bool) -> bool:
    bit = 1 if folder else 4
    if status.st_uid == user.pw_uid:
        bit <<= 6
    elif status.st_gid == user.pw_gid:
        bit <<= 3
    return bool(status.st_mode & bit)


def check_configurations(settings: BootSettings) -> Iterator[Finding]:
    """Settings files of hosts, read as a host would."""
    for who, each in _tables(settings).items():
        if each.config is not None:
            try:
                load_settings(str(each.config))
            except SettingsError as wrong:
                yield error(f"{who}: its hosts could not start with {each.config}: {wrong}", None)


def check_key(settings: BootSettings, address: str) -> Iterator[Finding]:
    """The keys, and a handshake as a booting host does it."""
    if settings.key_file is None or not (settings.tls_cert and settings.tls_key and settings.ca):
        return
    try:
        read_keys(settings.key_file)
        server, client = server_tls(settings.tls_cert, settings.tls_key), client_tls(settings.ca)
        problem = handshake(server, client, address)
    except IsolatedError as refused:
        yield error(str(refused).splitlines()[0], refused.remedy)
        return
    if problem is not None:
        remedy = f"make a certificate for IP:{address} that is signed by `ca`: alpine/README.md"
        yield error(f"hosts would not trust {settings.tls_cert}: {problem}", remedy)


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> str | None:
    """Lets the two speak with each other in memory; why the client does not trust the server, None if it does."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    for _ in range(4):  # TLS 1.3 needs two turns
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLCertVerificationError as refused:
                return refused.verify_message
            except ssl.SSLError as refused:
                return refused.reason or str(refused)
    return None
