"""Spare hosts are started each in its own way, and failures name the host."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from supervisor.cluster.power.failures import WakeFailed
from supervisor.cluster.power.magic_packet import magic_packet
from supervisor.cluster.power.redfish import Patience
from supervisor.cluster.power.waker import Waker
from supervisor.errors import SettingsError
from supervisor.spec.spares import Spares
from tests.cluster.power.machines import script, secret
from tests.fakes.certificate import certificate
from tests.fakes.management_controller import SYSTEM, FakeController, served

MAC = "02:5c:52:31:3a:9c"


def waker(*spares: str, limit_s: float = 60.0) -> Waker:
    return Waker(Spares().parse(list(spares)), limit_s=limit_s, patience=Patience(poll_s=0.01))


async def test_each_is_started_in_its_own_way(tmp_path: Path) -> None:
    file = secret(tmp_path, "operator:pass:word")
    identity, controller = certificate(tmp_path), FakeController()
    program = script(tmp_path, f'echo "$1 $ISOLATED_SPARE" > {tmp_path}/did')
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.setblocking(False)
        async with served(controller, identity) as origin:
            spares = waker(
                f"c=command:{program} now",
                f"a=wol:{MAC}@127.0.0.1:{listener.getsockname()[1]}",
                f"b=redfish:{origin}{SYSTEM}?credentials={file}&ca={identity.certificate}",
            )
            spares.check()
            assert spares.ids == ("c", "a", "b")
            for host in spares.ids:
                await spares.wake(host)
        async with asyncio.timeout(30):
            assert await asyncio.get_running_loop().sock_recv(listener, 1000) == magic_packet(MAC)
    assert controller.resets == ["On"]
    assert (tmp_path / "did").read_text() == "now c\n"


async def test_a_failure_names_the_host(tmp_path: Path) -> None:
    spares = waker(f"a=command:{script(tmp_path, 'echo no current; exit 9')}")
    with pytest.raises(WakeFailed, match=r"spare host a was not started: .* code 9: no current") as caught:
        await spares.wake("a")
    assert caught.value.remedy
    with pytest.raises(WakeFailed, match="there is no spare host b"):
        await spares.wake("b")


async def test_a_command_has_a_time_limit(tmp_path: Path) -> None:
    with pytest.raises(WakeFailed, match=r"took longer than 0\.3 s and was killed"):
        await waker(f"a=command:{script(tmp_path, 'sleep 600; true')}", limit_s=0.3).wake("a")


def test_credentials_that_cannot_be_used_are_told_before_they_are_needed(tmp_path: Path) -> None:
    good, open_to_all = secret(tmp_path, "a:b", name="good"), secret(tmp_path, "a:b", 0o644, name="open")
    url = f"https://bmc{SYSTEM}?credentials="
    spares = waker(*(f"{host}=redfish:{url}{file}" for host, file in (("a", good), ("b", open_to_all), ("c", "/none"))))
    with pytest.raises(SettingsError) as caught:
        spares.check()
    assert [problem.message for problem in caught.value.problems] == [
        "spare 2, b: credentials: others may read it (mode 0644)",
        "spare 3, c: credentials: it cannot be read: No such file or directory",
    ]
    assert caught.value.problems[1].value == '"/none"'
    for problem in caught.value.problems:
        assert problem.field == "spares"
        assert problem.allowed == "a file of mode 0600 with one line of at most 1024 bytes, user:password"
