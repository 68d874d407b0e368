"""All checks, in the order in which a person would mend what they find."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

from supervisor.boot.checks import files, net
from supervisor.boot.checks.dhcp_probe import WAIT_S
from supervisor.boot.checks.finding import Finding, error
from supervisor.boot.network import NetworkError, site_of
from supervisor.boot.settings import BootSettings
from supervisor.boot.story import STATUS, read_story


def check_all(settings: BootSettings, dhcp_wait_s: float = WAIT_S) -> Iterator[Finding]:
    """Everything that can be tried now. Files are read whole, and answers of DHCP servers are waited for."""
    assert settings.interface is not None
    yield from _programs(settings)
    yield from files.check_loaders(settings)
    yield from files.check_images(settings)
    yield from files.check_configurations(settings)
    try:
        site = site_of(settings.interface)
    except NetworkError as refused:
        yield error(refused.message, refused.remedy)
        return
    yield from files.check_key(settings, str(site.address.ip))
    yield from net.check_addresses(settings, site)
    if running_pid(settings) is None:
        yield from net.check_ports(settings, site)
    else:
        yield from net.check_tftp(settings, site)
    yield from net.check_other_servers(settings, site, dhcp_wait_s)


def running_pid(settings: BootSettings) -> int | None:
    """The process of the boot server that runs with these settings, if one does."""
    pid = read_story(settings.state_dir / STATUS)[0].get("pid")
    if not isinstance(pid, int):
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return pid


def _programs(settings: BootSettings) -> Iterator[Finding]:
    if not os.access(settings.dnsmasq, os.X_OK):
        yield error(f"{settings.dnsmasq} is not a program", "install dnsmasq, or correct `dnsmasq`")
    if shutil.which("setpriv") is None:
        yield error("setpriv is not here", "install it: it comes with util-linux")
