"""Which image version a machine gets: the promoted one, or the one that a share of the machines tries. Pure."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from supervisor.spec.refused import Refused

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Promotion:
    """`share` of the machines get `canary`, all others `stable`; None: nothing was promoted, or nothing is tried."""

    stable: str | None = None
    canary: str | None = None
    share: float = 0.0

    def version_for(self, mac: str) -> str | None:
        """The version for a machine: the same each time, and kept by those that have it when the share grows."""
        if self.canary is not None and _point(self.canary, mac) < self.share:
            return self.canary
        return self.stable

    def promote(self, version: str, share: float | None) -> Promotion:
        """What holds after `version` was promoted: for all, or for a share of the machines on trial."""
        if share is None or share >= 1:
            return Promotion(version)
        if self.stable is None:
            raise Refused(
                "there is no promoted version that the other machines could get",
                allowed="a share once a version is promoted for all",
                remedy=f"promote a version for all first: isolated boot-server promote {version}",
            )
        return Promotion(self.stable, version, share)


def parse_version(value: object) -> str:
    """The name of an image version, which is that of a folder; raises Refused."""
    if isinstance(value, str) and _VERSION.fullmatch(value):
        return value
    raise Refused(
        "not the name of an image version",
        allowed="1 to 64 letters, digits and . _ -, first a letter or digit",
        remedy="write for example '2026-11-30' or 'v2'",
    )


def parse_share(text: str) -> float:
    """A share of the machines: '10%' or '0.1'; raises Refused."""
    digits = text.strip().removesuffix("%")
    try:
        share = float(digits) / (100 if digits != text.strip() else 1)
        if 0 < share <= 1:
            return share
    except ValueError:
        pass
    raise Refused("not a share", allowed="more than 0% and at most 100%", remedy="write for example '10%'")


def read_promotion(text: str) -> Promotion:
    """What stands in the file of promotions; raises Refused."""
    try:
        told: Any = json.loads(text)
        share = float(told.get("share", 0.0))
        names = [None if told.get(name) is None else parse_version(told[name]) for name in ("stable", "canary")]
        if 0 <= share <= 1:
            return Promotion(names[0], names[1], share)
    except ValueError, TypeError, AttributeError:
        pass
    raise Refused(
        "not what `isolated boot-server promote` writes",
        allowed="a JSON object with stable, canary and share",
        remedy="promote a version again",
    )


def write_promotion(promotion: Promotion) -> str:
    """The text that `read_promotion` reads."""
    told = {"stable": promotion.stable, "canary": promotion.canary, "share": promotion.share}
    return json.dumps(told, indent=1) + "\n"


def _point(version: str, mac: str) -> float:
    """Where a machine stands between 0 and 1 for a version: another place for each, so that not the same always try."""
    digest = hashlib.sha256(f"{version}|{mac}".encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64
