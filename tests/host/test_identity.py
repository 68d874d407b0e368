"""Where other hosts are told that this one is."""

from __future__ import annotations

import pytest

from supervisor.host.cluster.identity import gossip_address
from supervisor.spec.settings_load import load_settings

KEY = "/etc/isolated/cluster.key"


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"clusterListen": "203.0.113.7:7443"}, "203.0.113.7:7946"),
        ({"clusterListen": "0.0.0.0:7443", "clusterAdvertise": "203.0.113.7:80"}, "203.0.113.7:7946"),
        ({"clusterListen": "[2001:db8::7]:7443", "gossipListen": "[::]:9000"}, "[2001:db8::7]:9000"),
        ({"clusterListen": "[2001:db8::7]:7443"}, None),
        ({"clusterListen": "203.0.113.7:7443", "gossipListen": "203.0.113.8:7946"}, None),
        ({"clusterListen": "203.0.113.7:7443", "gossipAdvertise": "203.0.113.9:1"}, "203.0.113.9:1"),
    ],
)
def test_gossip_is_heard_where_others_reach_the_host(settings: dict[str, str], told: str | None) -> None:
    assert gossip_address(load_settings(None, {}, {"clusterKeyFile": KEY, **settings})) == told
