"""How long a service manager waits for a host that stops: longer than its cluster and its requests may need."""

from __future__ import annotations

import re
from dataclasses import fields

from supervisor.cluster.rules import Rules
from supervisor.spec.settings import HostSettings
from tests.service.box import CHECKOUT

CALLS_S = 30.0  # a call to a host that does not answer, the goodbye, the parts that close


def test_a_host_that_stops_is_not_killed_while_others_take_over_what_it_has() -> None:
    (drain_s,) = (each.default for each in fields(HostSettings) if each.name == "drain_s")
    assert isinstance(drain_s, float)
    rules = Rules()
    needed_s = 2 * drain_s + rules.settle_most_s + rules.settle_s + CALLS_S
    unit = (CHECKOUT / "alpine/systemd/isolated.service").read_text()
    script = (CHECKOUT / "alpine/openrc/isolated").read_text()
    settings = (CHECKOUT / "alpine/openrc/isolated.confd").read_text()
    (systemd,) = re.findall(r"^TimeoutStopSec=(\d+)s$", unit, re.MULTILINE)
    (openrc,) = re.findall(r"isolated_stop_seconds:-(\d+)", script)
    (told,) = re.findall(r'isolated_stop_seconds="(\d+)"', settings)
    assert systemd == openrc == told
    assert int(systemd) > needed_s
    for text in (unit, script):
        assert f"guards ({rules.settle_most_s + rules.settle_s:g} s)" in text
