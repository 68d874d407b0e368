"""Scripts for iPXE: the first, the same for all, asks for the second, which is one machine's own. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from supervisor.boot.commandline import LINE_MAX, BootWords
from supervisor.boot.identity import Identity
from supervisor.spec.host_id import is_host_id

# `netX` is the card that iPXE booted through. A machine whose firmware has no UUID leaves nothing behind the bar.
FIRST = """\
#!ipxe
chain --replace machines/${netX/mac:hexhyp}_${uuid}/boot.ipxe || goto again
:again
echo isolated: no answer of the boot server; trying again in 10 s
sleep 10
chain --replace boot.ipxe || goto again
"""
AGAIN_S = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Where a machine gets what from: base URLs without a slash at the end."""

    http: str
    https: str
    transfer: str  # the base of kernel and initramfs: of http or of tftp


def boot_script(identity: Identity, version: str, *, name: str, words: str, served: Served, key: bool) -> str:
    """What makes a machine load and start an image version. `words`: the image's and the group's, `{…}` filled in."""
    line = command_line(identity, version, name=name, words=words, served=served, key=key)
    kernel = f"{served.transfer}/images/{version}/vmlinuz"
    return "\n".join((
        "#!ipxe",
        f"echo isolated: {name} boots image {version}",
        # With UEFI the initramfs has to be named; BIOS ignores it.
        f"kernel {kernel} initrd=initramfs {line} || goto failed",
        f"initrd --name initramfs {served.transfer}/images/{version}/initramfs || goto failed",
        "boot || goto failed",
        ":failed",
        *_again("the image did not load", served),
    ))  # fmt: skip


def command_line(identity: Identity, version: str, *, name: str, words: str, served: Served, key: bool) -> str:
    """The kernel's command line. ValueError if it is longer than the kernel reads."""
    machine = f"{served.http}/machines/{identity}"
    filled = words.replace("{image}", f"{served.http}/images/{version}").replace("{machine}", machine)
    ours = BootWords(
        config=f"{machine}/isolated.toml",
        token=f"{machine}/token" if key else None,
        key=f"{served.https}/machines/{identity}/key" if key else None,
        joined=f"{machine}/joined",
        host=name if is_host_id(name) else f"host-{identity.mac.replace(':', '')}",
        image=version,
    )
    line = " ".join((*filled.split(), f"BOOTIF=01-{identity.mac.replace(':', '-')}", str(ours)))
    if len(line) >= LINE_MAX:
        raise ValueError(f"the command line has {len(line)} characters, and the kernel reads {LINE_MAX - 1}")
    return line


def waiting_script(why: str, served: Served) -> str:
    """What makes a machine say why it cannot boot, and ask again after a while."""
    return "\n".join(("#!ipxe", *_again(why, served)))


def _again(why: str, served: Served) -> tuple[str, ...]:
    plain = "".join(character if character.isalnum() or character in " .,:_/-" else " " for character in why)
    first = f"{served.http}/boot.ipxe"
    return (f"echo isolated: {plain}, trying again in {AGAIN_S} s", f"sleep {AGAIN_S}", f"chain --replace {first}", "")
