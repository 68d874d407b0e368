"""A network and a boot server's folders, as fixtures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.boot.packages import BootParts, boot_parts
from tests.boot.rack_net import RackNet, rack_net
from tests.boot.running import Site

__all__ = ["boot_parts", "net", "site"]


@pytest.fixture
def net() -> Iterator[RackNet]:
    """A bridge with nothing plugged in."""
    with rack_net() as made:
        yield made


@pytest.fixture
def site(net: RackNet, boot_parts: BootParts, tmp_path: Path) -> Site:
    """A boot server that is not running yet."""
    return Site(tmp_path, net, boot_parts)
