"""Real hosts with real agents, each on a machine of its own: what users of a cluster see."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from supervisor.cluster.keys import make_key
from tests.functional.clusters import (
    Machine,
    Machines,
    Retrying,
    address,
    answering_task,
    cli,
    machines,
    said,
)
from tests.functional.running import ROOT
from tests.limits.namespaces import why_not
from tools.benchmarks.control import Refusal

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))

PACE = {"clusterPace": 0.1, "clusterGrace": "20s"}  # two seconds of grace
FIRST_PORT = 3000


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machines]:
    """Three hosts that see each other; the third is the newest."""
    with machines(3, tmp_path_factory.mktemp("three"), **PACE) as found:
        yield found.begin()


@pytest.fixture
def apps(tmp_path: Path) -> Path:
    """A folder that all machines have, for tasks without bundles."""
    return tmp_path / "apps"


def apply_to_newest(three: Machines, settings: dict[str, Any]) -> None:
    """On h3, asked of h1."""
    host = three[1].control.apply(settings)["host"]
    assert host == "h3", [line for line in three[1].log_text().splitlines() if "cluster: " in line][-3:]


def figures(machine: Machine) -> dict[str, float]:
    """Its metrics, by name and labels."""
    lines = machine.control.metrics().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


def test_the_newest_host_gets_tasks_whoever_is_asked(three: Machines, apps: Path) -> None:
    for number in range(6):
        applied = three[1 + number % 3].control.apply(answering_task(apps, f"new-{number}", FIRST_PORT + number))
        assert applied["host"] == "h3"
        assert three.answering(FIRST_PORT + number) == [3]
    placed = {f"new-{number}": ["h3"] for number in range(6)}
    for each in three.hosts:
        three.wait(lambda each=each: placed.items() <= each.owners().items(), f"that {each.id} tells of all")  # type: ignore[misc]
    for number in range(6):
        three[2].control.remove(f"new-{number}")
        assert three.answering(FIRST_PORT + number) == []


def test_any_host_applies_shows_stops_starts_and_removes(three: Machines, apps: Path) -> None:
    one, port = three[1], 3100
    settings = answering_task(apps, "far", port)
    assert one.control.apply(settings)["change"] == "created"
    assert one.control.apply(settings)["change"] == "unchanged"
    changed = {**settings, "env": {"A": "1"}}
    plan = one.control.ask("POST", "apply?dryRun=true", changed)
    assert (plan["change"], plan["fields"], plan["host"]) == ("changed", ["env"], "h3")
    assert one.control.apply(changed)["change"] == "changed"
    assert three[2].control.task("far")["spec"]["env"] == {"A": "…"}
    assert three[2].control.task("far")["host"] == "h3"
    assert three.ask(3, port) == "far"
    one.control.stop("far")
    assert three.answering(port) == []
    assert three[2].control.task("far")["wanted"] is False
    three[2].control.start("far")
    three.wait(lambda: three.answering(port) == [3], "that it answers again")
    three[2].control.remove("far")
    assert three.answering(port) == []
    for each in three.hosts:
        with pytest.raises(Refusal, match="status 404"):
            each.control.task("far")


def test_a_bundle_travels_from_host_to_host(three: Machines, tmp_path: Path) -> None:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "words.json").write_text('["from a bundle"]')
    (folder / "app.mjs").write_text(
        'import words from "./words.json" with { type: "json" };'
        'console.log("up");'
        "export default { fetch: () => new Response(words[0]) };"
    )
    (folder / "task.json5").write_text('{taskId: "packed", mainPath: "app.mjs", listen: ["0.0.0.0:3200"]}')
    assert "packed: created; on host h3" in said(three[1], "apply", folder)
    (folder / "app.mjs").unlink()
    assert three.ask(3, 3200) == "from a bundle"
    assert "up" in said(three[2], "logs", "packed")
    table = said(three[2], "ps")
    assert "HOST" in table.splitlines()[0]
    assert [line.split()[:2] for line in table.splitlines() if line.startswith("packed")] == [["packed", "h3"]]
    assert said(three[1], "rm", "--yes", "packed")
    assert three.answering(3200) == []


def test_a_bundle_that_is_too_large_for_another_host_is_refused_with_that_hosts_setting(tmp_path: Path) -> None:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "app.mjs").write_text(f"// {os.urandom(8192).hex()}\nexport default {{ fetch: () => new Response('') }};")
    (folder / "task.json5").write_text(
        '{taskId: "large", mainPath: "app.mjs", listen: ["0.0.0.0:3260"], placement: {hosts: ["h2"]}}'
    )
    with machines(2, tmp_path, **PACE) as two:
        two[1].begin()
        two[2].begin(bundleSize="4KiB")
        two.wait_joined(two.hosts)
        new = cli(two[1], "apply", folder)
        assert new.returncode != 0
        small = answering_task(tmp_path / "apps", "large", 3260, placement={"hosts": ["h2"]})
        assert two[1].control.apply(small)["host"] == "h2"
        changed = cli(two[1], "apply", folder)
        assert changed.returncode != 0
        assert two.ask(2, 3260) == "large"
    for each in (new, changed):
        told = " ".join(each.stderr.split())
        assert "host h2 could not get its bundle" in told
        assert "h1 sends a bundle of more than the 4096 bytes of this host's `bundleSize`" in told
        assert "or raise it" in told


def test_hosts_shows_who_is_there(three: Machines) -> None:
    lines = said(three[1], "hosts").splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["h3", "h2", "h1"]
    assert "(here)" in lines[3]
    assert all(" up " in line for line in lines[1:])
    status = three[1].control.status()
    assert (status["host"], status["cluster"]) == ("h1", None)


def test_metrics_tell_of_each_hosts_part(three: Machines, apps: Path) -> None:
    apply_to_newest(three, answering_task(apps, "measured", 3250))
    asked, owner = figures(three[1]), figures(three[3])
    assert asked['isolated_cluster_hosts{state="up"}'] == 3
    assert asked['isolated_cluster_hosts{state="failed"}'] == 0
    assert asked["isolated_cluster_current"] == 1
    assert asked['isolated_cluster_events_total{event="placed"}'] >= 1
    assert asked['isolated_cluster_calls_total{call="boot",outcome="answered"}'] >= 1
    assert asked['isolated_cluster_tasks{role="owner"}'] == 0
    assert owner['isolated_cluster_tasks{role="owner"}'] == 1
    three.wait(lambda: figures(three[1])['isolated_cluster_tasks{role="guardian"}'] == 1, "that h1 guards it")
    three[1].control.remove("measured")


def test_a_task_runs_where_it_has_to_or_nowhere(three: Machines, apps: Path) -> None:
    settings = answering_task(apps, "pinned", 3300, placement={"hosts": ["h1"]})
    assert three[2].control.apply(settings)["host"] == "h1"
    with pytest.raises(Refusal, match="no host has room for it: h9: it is not up"):
        three[2].control.apply(answering_task(apps, "nowhere", 3301, placement={"hosts": ["h9"]}))
    assert three[2].control.apply({**settings, "placement": {"hosts": ["h2"]}})["host"] == "h2"
    three.wait(lambda: three.answering(3300) == [2], "that it moved")
    three[1].control.remove("pinned")


def test_a_program_that_does_not_start_is_told_by_whoever_was_asked(three: Machines, apps: Path) -> None:
    settings = answering_task(apps, "broken", 3400)
    (apps / "broken.mjs").write_text("throw new Error('not today');")
    with pytest.raises(Refusal, match=r"(?s)status 422.*not today"):
        three[1].control.apply(settings)
    assert "broken" not in three[1].owners()
    with pytest.raises(Refusal, match="status 404"):
        three[2].control.task("broken")
    answering_task(apps, "broken", 3400)
    assert three[1].control.apply(settings)["change"] == "created"
    three[2].control.remove("broken")


def test_a_port_that_another_program_has_sends_the_task_to_the_next_host(three: Machines, apps: Path) -> None:
    three[3].control.apply(answering_task(apps, "first", 3450, placement={"hosts": ["h3"]}))
    second = three[1].control.apply(answering_task(apps, "second", 3450))
    assert second["host"] == "h2"
    assert [three.ask(number, 3450) for number in (3, 2)] == ["first", "second"]

    def placed() -> list[str]:
        return [line for line in three[1].log_text().splitlines() if "cluster: placed" in line and "second" in line]

    three.wait(lambda: placed() != [], "that it is in the log")
    assert len(placed()) == 1
    assert "h3: " in placed()[0]
    assert "in use" in placed()[0]
    for label in ("first", "second"):
        three[2].control.remove(label)


def test_a_hand_over_keeps_the_hosts_place_and_its_tasks(three: Machines, apps: Path) -> None:
    apply_to_newest(three, answering_task(apps, "stays", 3500))
    with Retrying(three, [3], 3500) as asking:
        before = three[3].control.status()["pid"]
        three[3].control.upgrade()
        three.wait(lambda: bool(three[3].control.status()["pid"] != before), "a new process")
        three.wait(lambda: three[1].sees(three.hosts), "that it is up again")
        time.sleep(3)  # past the grace: nobody takes its task
    assert asking.failed == []
    three.wait(lambda: three[1].owners().get("stays") == ["h3"], "that it is known to be there")
    three[2].control.remove("stays")


def test_who_has_another_key_sees_nobody_and_is_not_let_in(three: Machines, tmp_path: Path) -> None:
    key = tmp_path / "other.key"
    key.touch(0o600)
    key.write_text(make_key() + "\n")
    stopped = three[2]
    assert stopped.stop() == 0
    right = stopped.settings["clusterKeyFile"]
    try:
        stopped.begin(clusterKeyFile=str(key))
        three.wait(lambda: stopped.sees([stopped]), "that it is up by itself")
        time.sleep(2)
        assert list(stopped.hosts()) == ["h2"] or all(
            each["alive"] != "alive" for each in stopped.hosts().values() if not each["here"]
        )
        assert three[1].hosts()["h2"]["alive"] != "alive"
        three.wait(lambda: stopped.control.status()["cluster"] is not None, "that it says what is wrong")
        assert "key" in stopped.control.status()["cluster"]
    finally:
        stopped.kill()
        stopped.begin(clusterKeyFile=right)
        three.wait_joined(three.hosts)


def test_a_host_that_stops_hands_its_tasks_over_first(three: Machines, apps: Path) -> None:
    for number in range(3):
        apply_to_newest(three, answering_task(apps, f"moves-{number}", 3600 + number, "moved"))
    with Retrying(three, [3, 2, 1], 3600) as asking:
        assert three[3].stop() == 0
        three.wait(lambda: bool(three[1].hosts()["h3"]["alive"] == "left"), "that others hear of it")
    assert asking.failed == []
    for number in range(3):
        assert three.answering(3600 + number) == [2]
    three[3].begin()
    three.wait_joined(three.hosts)
    for number in range(3):
        three[1].control.remove(f"moves-{number}")


def test_tasks_of_a_dead_host_answer_elsewhere_and_it_comes_back_without_them(three: Machines, apps: Path) -> None:
    for number in range(3):
        apply_to_newest(three, answering_task(apps, f"lost-{number}", 3700 + number))
    three[3].kill()
    three.wait(lambda: all(three.answering(3700 + each) == [2] for each in range(3)), "that they answer on h2")
    three.wait(lambda: three[1].owners().get("lost-0") == ["h2"], "that it is known to be there")
    three[3].begin()
    three.wait_joined(three.hosts)
    time.sleep(1)
    for number in range(3):
        assert three.answering(3700 + number) == [2]
        three[1].control.remove(f"lost-{number}")


def test_a_task_that_no_host_may_have_any_more_is_listed_and_why(three: Machines, apps: Path) -> None:
    pinned = {"placement": {"hosts": ["h3"]}}
    apply_to_newest(three, {**answering_task(apps, "pinned-there", 3750), **pinned})
    three[3].kill()
    reason = "no host has room for it: h3: it is not up"

    def lines() -> list[str]:
        return [line for line in said(three[1], "ps").splitlines() if line.startswith("pinned-there")]

    three.wait(lambda: any("stranded" in line and reason in line for line in lines()), "that it is listed, and why")
    assert len(lines()) == 1  # both guardians know it
    assert lines()[0].split()[1] == "h3"
    three[3].begin()
    three.wait_joined(three.hosts)
    three.wait(lambda: three.answering(3750) == [3], "that it answers again")
    three.wait(lambda: len(lines()) == 1 and "stranded" not in lines()[0], "that it is where it was")
    three[1].control.remove("pinned-there")


def test_a_host_that_restarts_within_the_grace_has_its_tasks_again(three: Machines, apps: Path) -> None:
    apply_to_newest(three, answering_task(apps, "back", 3800))
    three[3].kill()
    three[3].begin()
    three.wait(lambda: three.answering(3800) != [], "that it answers")
    three.wait_joined(three.hosts)
    assert three.answering(3800) in ([3], [2])  # the agent's death may have lasted longer than the grace
    three.wait(lambda: len(three[1].owners().get("back", [])) == 1, "that one host has it")
    three[1].control.remove("back")


def test_a_strict_task_whose_address_was_taken_is_not_there_beyond_its_lease(three: Machines, apps: Path) -> None:
    apply_to_newest(three, answering_task(apps, "taken", 3850, placement={"mode": "strict"}))
    three[3].kill()
    listens = ["ip", "netns", "exec", three[3].namespace, sys.executable, "-m", "http.server", "3850"]
    with subprocess.Popen(listens, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as listening:
        try:
            three[3].begin()
            three.wait(lambda: "cluster: boot-failed" in three[3].log_text(), "that its address is taken")
            three.cut([3])
            three.wait(lambda: three.answering(3850) in ([1], [2]), "that another host has it")
            here = {each["task"]: each["state"] for each in three[3].control.ask("GET", "tasks")}
        finally:
            listening.kill()
            three.heal([3])
    assert here.get("taken", "pending") == "pending"  # by its records it waits for its lease
    three.wait_joined(three.hosts)
    assert three.answering(3850) in ([1], [2])
    three[1].control.remove("taken")


def test_a_strict_task_survives_any_one_of_three_hosts_and_who_will_not_come_back_is_forgotten(
    three: Machines, apps: Path
) -> None:
    strict = {"placement": {"mode": "strict"}}
    apply_to_newest(three, {**answering_task(apps, "strict", 3850), **strict})
    three[1].kill()
    three.wait(lambda: bool(three[3].hosts()["h1"]["alive"] == "failed"), "that it is seen to be dead")
    for _ in range(30):  # three times as long as a lease
        assert three.answering(3850) == [3], three[3].log_text()[-3000:]
        time.sleep(0.2)
    alive = cli(three[2], "hosts", "--forget", "h3")
    assert alive.returncode != 0
    assert "host h3 is alive" in alive.stderr
    said(three[2], "hosts", "--forget", "h1")
    three.wait(lambda: all("h1" not in each.hosts() for each in (three[2], three[3])), "that both have forgotten it")
    three[1].begin()
    three.wait_joined(three.hosts)
    three[1].control.remove("strict")


def test_a_strict_task_that_waits_for_its_lease_is_shown_as_pending(three: Machines, apps: Path) -> None:
    apply_to_newest(three, {**answering_task(apps, "waits", 3851), "placement": {"mode": "strict"}})
    for each in three.hosts:
        each.kill()
    three[3].begin()

    def tells() -> bool:
        done = cli(three[3], "get", "waits")
        return "pending" in done.stdout and "it waits for the lease of its guardians: h" in done.stdout

    three.wait(tells, "that it is told what it waits for")
    assert "it waits for the lease of its guardians" in said(three[3], "ps")
    three.wait(lambda: "waits-for-lease" in three[3].log_text(), "that the log tells that it waits")
    for number in (1, 2):
        three[number].begin()
    three.wait_joined(three.hosts)
    three.wait(lambda: three.answering(3851) == [3], "that it answers again")
    three[1].control.remove("waits")


def test_members_by_hand_are_the_same(three: Machines) -> None:
    """`serf members` with the address and the token that the host wrote down for people."""
    folder = Path(three[1].settings["stateDir"]) / "serf"
    program = ROOT / ".runtime" / "usr" / "bin" / "serf"
    command = f". {folder}/rpc.env; exec ip netns exec {three[1].namespace} {program} members"
    done = subprocess.run(["sh", "-ac", command], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    names = {line.split()[0]: line.split()[1].rpartition(":")[0] for line in done.stdout.splitlines()}
    assert names == {each.id: address(each.number) for each in three.hosts}


def test_a_host_that_is_alone_stops_at_once_and_has_its_tasks_again(tmp_path: Path, apps: Path) -> None:
    """There is nobody to move them to, and nobody is waited for."""
    with machines(1, tmp_path, drain="60s") as one:
        one.begin()
        assert one[1].control.apply(answering_task(apps, "alone", 3900))["host"] == "h1"
        began = time.monotonic()
        assert one[1].stop() == 0
        assert time.monotonic() - began < 30
        one[1].begin()
        one.wait(lambda: one.answering(3900) == [1], "that it answers again")


def test_a_core_that_the_hosts_own_threads_do_not_use_is_for_tasks_of_the_cluster(tmp_path: Path, apps: Path) -> None:
    cores = os.sched_getaffinity(0)
    with machines(1, tmp_path, loopCores=[min(cores)]) as one:
        one.begin()
        assert one[1].control.apply(answering_task(apps, "pinned", 3901, cpu=max(cores)))["host"] == "h1"
        one.wait(lambda: one.answering(3901) == [1], "that it answers")


def test_a_second_host_of_one_id_takes_nothing_and_says_why(tmp_path: Path, apps: Path) -> None:
    with machines(3, tmp_path) as found:
        for number in (1, 2):
            found[number].begin()
        found.wait_joined(found.hosts[:2])
        found[3].begin(hostId="h2")
        reason = "another host of the cluster has the id h2"

        def answer() -> str:
            try:
                return str(found[3].control.apply(answering_task(apps, "impostor", 3950)))
            except (OSError, Refusal) as problem:
                return str(problem)

        found.wait(lambda: reason in answer(), "that it refuses")
        assert "another host of the cluster has this host's id" in str(found[3].control.status()["cluster"])
        found.wait(lambda: found[1].sees(found.hosts[:2]), "that the right one is seen")
        assert found[1].control.apply(answering_task(apps, "right", 3951))["host"] == "h2"
        found.wait(lambda: found.answering(3951) == [2], "that the right one has it")
