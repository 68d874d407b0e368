"""Five real hosts: many tasks, a host that dies, a network that falls apart, lost packets, hosts that go home."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.functional.clusters import BOOTED, Machine, Machines, Retrying, answering_task, machines, said
from tests.limits.namespaces import run, why_not
from tools.benchmarks.control import Refusal

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(why_not() is not None, reason=str(why_not())),
]

TASKS = 50
PORT = 4000
PACE = 0.2
GRACE_S = 2.0
TWICE = [5, 4, 3, 2, 1] * 2  # a task may go from a host that is asked later to one that was asked before
ANSWERS = 100  # of each task at least: all of it takes half a minute and more
HOME = {"powerOff": True, "clusterFloor": 2, "clusterIdle": "60s", "clusterAge": "10s"}


@pytest.fixture
def five(tmp_path: Path) -> Iterator[Machines]:
    """Five hosts, not started."""
    with machines(5, tmp_path, clusterPace=PACE, clusterGrace=f"{GRACE_S / PACE:g}s") as found:
        yield found


def apply_many(five: Machines, folder: Path, count: int, **settings: Any) -> None:
    """So many tasks, through one host after the other."""
    for number in range(count):
        settings_of = answering_task(folder, f"t{number}", PORT + number, **settings)
        assert five[1 + number % 5].control.apply(settings_of)["change"] == "created"


def ports(count: int) -> range:
    """Where they listen."""
    return range(PORT, PORT + count)


def one_copy_each(five: Machines, count: int) -> bool:
    """Whether every task answers on one host."""
    return all(len(five.answering(port)) == 1 for port in ports(count))


def test_fifty_tasks_and_the_death_of_their_host(five: Machines, tmp_path: Path) -> None:
    five.begin()
    apply_many(five, tmp_path / "apps", TASKS)
    assert set(map(tuple, five[2].owners().values())) == {("h5",)}
    five[5].kill()
    killed = time.monotonic()
    five.wait(lambda: five[1].hosts()["h5"]["alive"] == "failed", "that its end is noticed")
    noticed = time.monotonic()
    five.wait(lambda: one_copy_each(five, TASKS), "that all answer elsewhere", GRACE_S + 15)
    print(f"noticed after {noticed - killed:.1f} s, all back {time.monotonic() - noticed:.1f} s later")  # noqa: T201
    assert {hosts[0] for hosts in five[2].owners().values()} == {"h4"}


def test_a_bundle_comes_from_a_host_that_neither_owns_nor_guards_its_task(five: Machines, tmp_path: Path) -> None:
    """Of five hosts one owns a task and three guard it: when all are asked, one of them is neither."""
    five.begin()
    for number, port in enumerate(ports(4), 1):
        said(five[number], "apply", packed(tmp_path, f"packed-{number}", port, "new"))
        assert five.ask(5, port) == "new"
        for asked in range(1, 5):
            said(five[asked], "apply", packed(tmp_path, f"packed-{number}", port, f"from h{asked}"))
            assert five.ask(5, port) == f"from h{asked}"
    assert set(map(tuple, five[2].owners().values())) == {("h5",)}


def packed(folder: Path, label: str, port: int, text: str) -> Path:
    """A folder for `isolated apply` that is like no other."""
    own = folder / f"{label} {text}"
    own.mkdir()
    (own / "app.mjs").write_text(f"// {label}\nexport default {{ fetch: () => new Response('{text}') }};")
    (own / "task.json5").write_text(f'{{taskId: "{label}", mainPath: "app.mjs", listen: ["0.0.0.0:{port}"]}}')
    return own


def test_a_network_that_falls_apart_and_heals(five: Machines, tmp_path: Path) -> None:
    five.begin()
    apply_many(five, tmp_path / "apps", 10)
    strict = answering_task(tmp_path / "apps", "strict", PORT + 10, placement={"mode": "strict"})
    assert five[1].control.apply(strict)["host"] == "h5"
    five.cut([4, 5])
    five.wait(lambda: all(three_have(five, port) for port in ports(11)), "that the three have all tasks", 180)
    assert five.answering(PORT + 10) in ([1], [2], [3]), "two copies of a strict task"
    five.heal([4, 5])
    five.wait(lambda: one_copy_each(five, 11), "one copy of each", 180)
    five.wait_joined(five.hosts)
    time.sleep(5)
    assert one_copy_each(five, 11)
    assert {len(hosts) for hosts in five[3].owners().values()} == {1}


def three_have(five: Machines, port: int) -> bool:
    """Whether the larger part answers for a task."""
    return bool({1, 2, 3} & set(five.answering(port)))


def test_idle_hosts_go_home_down_to_the_floor_the_newest_stays(five: Machines, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    for each in five.hosts:
        each.settings |= {**HOME, "powerOffCommand": f"touch {gone}/{each.id}"}
    five.begin()
    apply_many(five, tmp_path / "apps", 3, idle="1s")
    five.wait(lambda: len(list(gone.iterdir())) == 3, "that three went home", 240)
    time.sleep(20)
    assert sorted(each.name for each in gone.iterdir()) == ["h1", "h2", "h3"]
    seen = five[5].hosts()
    assert {name: each["alive"] for name, each in seen.items()} == {
        "h1": "left", "h2": "left", "h3": "left", "h4": "alive", "h5": "alive",
    }  # fmt: skip
    assert one_copy_each(five, 3)
    with pytest.raises(Refusal, match="this host has left its cluster, and is about to be switched off"):
        five[1].control.apply(answering_task(tmp_path / "apps", "late", PORT + 9))


def test_a_machine_that_cannot_be_switched_off_takes_part_again(tmp_path: Path) -> None:
    with machines(3, tmp_path, clusterPace=PACE, **HOME, powerOffCommand="false") as three:
        three.begin()
        three.wait(lambda: "cluster: still-on" in three[1].log_text(), "that the oldest could not be switched off", 240)
        three.wait_joined(three.hosts)
        assert three[1].control.apply(answering_task(tmp_path / "apps", "task", PORT))["host"] == "h3"
        three[3].kill()
        three.wait(lambda: len(three.answering(PORT)) == 1, "that the others take over", 120)


def test_nobody_is_taken_for_dead_while_packets_are_lost(five: Machines, tmp_path: Path) -> None:
    if shutil.which("nft") is None:
        pytest.skip("nft (nftables) is not here")
    five.begin()
    apply_many(five, tmp_path / "apps", 5)
    rules = "add table inet lossy; add chain inet lossy input { type filter hook input priority 0; }; "
    rules += "add rule inet lossy input iifname cable numgen random mod 100 < 20 drop"
    for each in five.hosts:
        run("ip", "netns", "exec", each.namespace, "nft", rules)
    time.sleep(60)
    for each in five.hosts:
        run("ip", "netns", "exec", each.namespace, "nft", "delete table inet lossy")
    five.wait_joined(five.hosts)
    assert set(map(tuple, five[1].owners().values())) == {("h5",)}
    assert not any("cluster: restarted" in each.log_text() for each in five.hosts)


def test_all_five_are_restarted_one_after_the_other_and_no_request_is_lost(five: Machines, tmp_path: Path) -> None:
    five.begin()
    apply_many(five, tmp_path / "apps", 5)
    with Retrying(five, TWICE, *ports(5)) as asking:
        for number in (5, 4, 3, 2, 1):
            assert five[number].stop() == 0
            five[number].begin()
            five.wait_joined(five.hosts)
    print(f"{asking.answers} answers")  # noqa: T201
    assert asking.failed == []
    assert min(asking.answers.values()) >= ANSWERS
    assert one_copy_each(five, 5)


def images(machine: Machine) -> set[str]:
    """Of the hosts as one of them sees them."""
    return {each["image"] for each in machine.hosts().values()}


def test_a_new_image_takes_over_host_by_host_and_no_request_is_lost(five: Machines, tmp_path: Path) -> None:
    """A host that went home comes back with the new image, as a machine that boots over the network does."""
    gone = tmp_path / "gone"
    gone.mkdir()
    for each in five.hosts:
        each.settings |= {**HOME, "rebootCommand": f"touch {gone}/{each.id}", "imageId": "v1", "clusterPace": 0.05}
        each.settings |= {"clusterGrace": "60s", "clusterIdle": "2h"}  # none goes home for want of work
    five.begin()
    apply_many(five, tmp_path / "apps", 5, idle=None)
    assert five[5].stop() == 0
    boots = 10
    with Retrying(five, TWICE, *ports(5)) as asking:
        five[5].begin(imageId="v2", bootTime=f"{BOOTED + 60 * boots}s")
        deadline = time.monotonic() + 500
        while boots < 14 or not five[5].sees(five.hosts):
            assert time.monotonic() < deadline, five[5].log_text()[-3000:]
            for file in sorted(gone.iterdir()):
                boots += 1
                file.unlink()
                machine = five[int(file.name[1:])]
                machine.kill()
                machine.begin(imageId="v2", bootTime=f"{BOOTED + 60 * boots}s")
            time.sleep(0.5)
    five.wait_joined(five.hosts)
    print(f"{asking.answers} answers")  # noqa: T201
    assert asking.failed == []
    assert min(asking.answers.values()) >= ANSWERS
    for each in five.hosts:
        five.wait(lambda each=each: images(each) == {"v2"}, "that all are seen with the new image")  # type: ignore[misc]
    assert boots == 14
    assert one_copy_each(five, 5)
