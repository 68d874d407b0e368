"""What an agent is started with, and its configuration file. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from supervisor.cluster.serf.rotation import KEY_BYTES

PORT = 7946  # Serf's own


@dataclass(frozen=True, slots=True)
class SerfOptions:
    """Addresses are 'host:port', of IPv6 '[host]:port'; the agent's TCP and UDP port."""

    folder: Path  # of this host alone; snapshot, configuration and keys are in it, with mode 0600
    keys: tuple[bytes, ...] = field(repr=False)  # of KEY_BYTES each: the first is used, all are accepted
    bind: str = f"0.0.0.0:{PORT}"
    advertise: str | None = None  # what others reach `bind` at; None: the agent picks a private address of the machine
    join: tuple[str, ...] = ()  # hosts to look for the cluster at
    program: Path | None = None  # None: the runtime tree's
    patience_s: float = 3.0  # the agent is killed when the loop stands still for so long

    def __post_init__(self) -> None:
        if not self.keys or any(len(key) != KEY_BYTES for key in self.keys):
            raise ValueError(f"keys of {KEY_BYTES} bytes are needed, at least one")

    @property
    def others(self) -> tuple[str, ...]:
        """`join` without this host itself: all hosts may be given the same list."""
        return tuple(each for each in self.join if each not in (self.bind, self.advertise))

    @property
    def config(self) -> Path:
        """The agent's configuration."""
        return self.folder / "agent.json"

    @property
    def keyring(self) -> Path:
        """Its keys; it writes this file itself when it is told to change them."""
        return self.folder / "keyring.json"

    @property
    def snapshot(self) -> Path:
        """What it knows about others, to come back after a crash."""
        return self.folder / "snapshot"

    @property
    def known(self) -> Path:
        """The members that this host knew last."""
        return self.folder / "members.json"

    @property
    def rpc(self) -> Path:
        """Address and token of its RPC, as variables for a shell: for `serf members` by hand."""
        return self.folder / "rpc.env"

    @property
    def lock(self) -> Path:
        """Held by the agent: no two use one folder."""
        return self.folder / "lock"


@dataclass(frozen=True, slots=True)
class Rpc:
    """Where an agent answers, and to whom."""

    port: int  # on 127.0.0.1
    token: str = field(repr=False)

    @property
    def address(self) -> str:
        """As the agent and its command line have it."""
        return f"127.0.0.1:{self.port}"


def config_of(options: SerfOptions, name: str, tags: Mapping[str, str], rpc: Rpc) -> str:
    """The configuration file."""
    config = {
        "node_name": name,
        "tags": dict(tags),
        "bind": options.bind,
        "rpc_addr": rpc.address,
        "rpc_auth": rpc.token,
        "keyring_file": str(options.keyring),
        "snapshot_path": str(options.snapshot),
        # A host that left and is started again belongs to the cluster again.
        "rejoin_after_leave": True,
        # Only the host decides whether it leaves, and says so by RPC.
        "skip_leave_on_interrupt": True,
        "leave_on_terminate": False,
        "log_level": "WARN",
    }
    if options.advertise is not None:
        config["advertise"] = options.advertise
    return json.dumps(config, indent=1)


def shell_of(rpc: Rpc) -> str:
    """The variables that Serf's own command line reads."""
    return f"SERF_RPC_ADDR={rpc.address}\nSERF_RPC_AUTH={rpc.token}\n"
