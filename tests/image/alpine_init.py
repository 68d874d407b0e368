"""What Alpine's initramfs makes of a kernel's command line: a model of its rules, as mkinitfs 3.x documents them.

Written from mkinitfs-bootparam(7) and the behaviour of its init: only words that it knows count, `apkovl` and
`alpine_repo` may be URLs, which bring up the network, and services start only if the apkovl lists them.
"""

from __future__ import annotations

from dataclasses import dataclass

WORDS = """
alpine_dev autodetect autoraid chart cryptroot dma init init_args keep_apk_new modules ovl_dev pkgs quiet root_size root
usbdelay ip alpine_repo apkovl alpine_start splash blacklist overlaytmpfs rootfstype rootflags nbd resume s390x_net dasd
ssh_key BOOTIF zfcp uevent_buf_size aoe aoe_iflist aoe_mtu wireguard debug_init
"""
KNOWN = frozenset(WORDS.split())
SCHEMES = ("http://", "https://", "ftp://")


@dataclass(frozen=True, slots=True)
class Init:
    """What it does."""

    options: dict[str, str]

    @property
    def networking(self) -> bool:
        """Whether it brings up the network."""
        return "ip" in self.options or any(self.is_url(name) for name in ("apkovl", "alpine_repo"))

    @property
    def interface_by_mac(self) -> str | None:
        """The card that it takes: that with this MAC address."""
        words = self.options.get("BOOTIF", "").split("-")
        return ":".join(words[1:]) if len(words) == 7 and words[0] == "01" else None

    @property
    def installs_sshd(self) -> bool:
        """Whether it would let somebody in by ssh."""
        return "ssh_key" in self.options

    def is_url(self, name: str) -> bool:
        return self.options.get(name, "").startswith(SCHEMES)

    def unpacks(self, name: str) -> bool:
        """Whether it takes the file for a plain archive, by the end of its name; others are encrypted."""
        return self.options.get(name, "").rpartition(".")[2] == "gz"


def init_of(line: str) -> Init:
    """Its reading of a command line: words as the shell splits them, `NAME=VALUE`, `NAME` and `noNAME`."""
    found: dict[str, str] = {}
    for word in line.split():
        name, equals, value = word.partition("=")
        if name in KNOWN:
            found[name] = value if equals else "yes"
        elif not equals and name.removeprefix("no") in KNOWN:
            found[name.removeprefix("no")] = "no"
    return Init(found)
