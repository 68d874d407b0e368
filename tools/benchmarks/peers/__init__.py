"""The peers, by name. Each is fetched on demand into the cache; none is a dependency of anything."""

from __future__ import annotations

from collections.abc import Callable

from tools.benchmarks.cache import Cache
from tools.benchmarks.peers.deno import Deno
from tools.benchmarks.peers.mini_racer import MiniRacer
from tools.benchmarks.peers.nodejs import NodeJs
from tools.benchmarks.peers.workerd import Workerd
from tools.benchmarks.subject import Subject

PEERS: dict[str, Callable[[Cache], Subject]] = {
    "workerd": Workerd.obtain,
    "node": NodeJs.obtain,
    "deno": Deno.obtain,
    "mini-racer": MiniRacer.obtain,
}
