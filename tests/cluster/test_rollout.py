"""How a new image spreads: who is outdated, who goes first, and who does not get it however often it starts again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.cluster.rollout import (
    canaries,
    has_other_image,
    is_outdated,
    presumed,
    rests_for_newer,
    wanted_image,
    went_in_vain,
    why_not_update,
)
from supervisor.cluster.rules import Rules
from supervisor.cluster.shutdown import why_wait
from supervisor.cluster.values import Departure, HostState, Member
from supervisor.cluster.view import View
from tests.fakes.cluster import member
from tools.simulating.scenarios import QUIET_S, SKEW_S, populate
from tools.simulating.verdict import broken
from tools.simulating.world import World

RULES = Rules()
DAY_S = RULES.update_again_s


def image_view(old: int, new: int, *, new_since: float = 0.0, draining: int = 0, room: bool = True) -> View:
    hosts = [
        member(
            f"old-{number}", boot_time=1.0, image="one", state=HostState.DRAINING if number < draining else HostState.UP
        )
        for number in range(old)
    ]
    return View(
        [*hosts, *(member(f"new-{n}", boot_time=9.0, image="two", since=new_since, room=room) for n in range(new))]
    )


def test_the_image_of_the_newest_host_that_tells_it_is_wanted() -> None:
    view = View(
        [member("a", boot_time=1.0, image="one"), member("b", boot_time=2.0, image="two"), member("c", boot_time=3.0)]
    )
    assert wanted_image(view) == "two"
    assert [is_outdated(view, each, 1.0, {}) for each in view.alive] == [False, False, True]
    assert [has_other_image(view, each) for each in view.alive] == [False, False, True]
    assert wanted_image(View([member("a")])) == ""
    alone = member("d", image="one")  # it does not see itself yet
    assert not is_outdated(View([member("a")]), alone, 1.0, {})


def test_who_started_again_for_an_image_and_did_not_get_it_goes_for_that_one_a_day_later() -> None:
    view = image_view(57, 3)
    me, missed = view.members["old-1"], {"two": 50.0 + DAY_S}
    assert is_outdated(view, me, 50.0, {})
    assert not is_outdated(view, me, 50.0, missed)
    assert not rests_for_newer(view, me, 49.0 + DAY_S, RULES, missed)
    why = why_not_update(view, me, 49.0 + DAY_S, RULES, missed)
    assert why == "its image is the newest, or it went for that one within a day and did not get it"
    assert is_outdated(view, me, 50.0 + DAY_S, missed)
    assert rests_for_newer(view, me, 50.0 + DAY_S, RULES, missed)
    assert why_not_update(view, me, 50.0 + DAY_S, RULES, missed) is None


def test_who_did_not_get_an_image_goes_for_every_other_one() -> None:
    third = View([*image_view(57, 3).members.values(), member("third", boot_time=10.0, image="three")])
    assert is_outdated(third, third.members["old-1"], 50.0, {"two": 50.0 + DAY_S})


def test_a_canary_share_goes_first_and_the_others_follow_when_it_has_stood() -> None:
    me = member("old-99", boot_time=1.0, image="one")
    assert canaries(image_view(59, 1), RULES) == 3
    assert why_not_update(image_view(59, 1), me, 1.0, RULES, {}) is None
    assert why_not_update(image_view(57, 3), me, 1.0, RULES, {}) is not None
    assert why_not_update(image_view(59, 1, draining=3), me, 1.0, RULES, {}) is not None
    assert why_not_update(image_view(57, 3), me, RULES.canary_s, RULES, {}) is None


def test_nobody_drains_for_newer_hosts_that_have_no_room() -> None:
    me = member("old-99", boot_time=1.0, image="one")
    full = image_view(57, 3, room=False)
    assert why_not_update(full, me, RULES.canary_s, RULES, {}) == "no host with the newer image has room"
    assert not rests_for_newer(full, me, RULES.canary_s, RULES, {})
    assert rests_for_newer(image_view(57, 3), me, RULES.canary_s, RULES, {})
    assert not rests_for_newer(image_view(57, 3), me, 1.0, RULES, {})


def test_an_image_that_is_taken_back_while_few_hosts_have_it_is_left_at_once() -> None:
    old = [member(f"old-{number}", boot_time=1000.0 + number, image="one") for number in range(8)]
    canary = member("c1", boot_time=100_000.0, image="two", since=100_000.0)
    taken_back = member("c2", boot_time=110_000.0, image="one", since=110_000.0)
    view = View([*old, canary, taken_back])
    assert why_not_update(view, canary, 110_001.0, RULES, {"two": 99_000.0 + DAY_S}) is None
    assert not any(is_outdated(view, host, 110_001.0, {}) for host in (*old, taken_back))


def test_a_host_that_knows_nothing_went_for_the_image_of_the_newest_of_the_others() -> None:
    view = View([*image_view(3, 1).members.values(), member("me", boot_time=10.0, image="one")])
    assert presumed(view, "me") == "two"
    assert presumed(View(), "me") == ""


def test_what_a_host_went_for_within_a_day_and_is_without() -> None:
    went = {"one": 1000.0, "two": 2000.0, "old": 5000.0 - DAY_S, "set-back": 9_000.0}
    assert went_in_vain(went, "one", 5000.0, RULES) == {"two": 3000.0, "set-back": 0.0}


class Cluster:
    """Hosts that always get the same images, by the decisions alone: who may go does so, one at a time, and is back."""

    def __init__(self, gets: Mapping[str, str], first: str) -> None:
        """All have the image "one", but `first`, which has just been given its own."""
        self.gets = gets
        self.now = 1_000_000.0
        self.members = {host: member(host, boot_time=float(age), image="one") for age, host in enumerate(gets)}
        self.members[first] = self._started(first)
        self.went: list[tuple[str, str, float]] = []  # host, image, when

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            going = self._going()
            if going is not None:
                self.went.append((going.id, wanted_image(View(self.members.values())), self.now))
                self.now += 120.0
                self.members[going.id] = self._started(going.id)
            self.now += 60.0

    def missed(self, host: str) -> dict[str, float]:
        went = {image: at for who, image, at in self.went if who == host}
        vain = went_in_vain(went, self.members[host].image, self.now, RULES)
        return {image: self.now + DAY_S - ago for image, ago in vain.items()}

    def _started(self, host: str) -> Member:
        return member(host, boot_time=self.now, image=self.gets[host], since=self.now)

    def _going(self) -> Member | None:
        view = View(self.members.values())
        for host in reversed(view.alive[1:]):
            why = why_not_update(view, host, self.now, RULES, self.missed(host.id)) or why_wait(view, host, RULES)
            if why is None:
                return host
        return None

    def most_in_vain(self) -> int:
        """How often a host went for one image within a day, at most, without getting it."""
        return max(
            (
                sum(at <= later < at + DAY_S for who, what, later in self.went if (who, what) == (host, image))
                for host, image, at in self.went
                if self.gets[host] != image
            ),
            default=0,
        )


@pytest.mark.parametrize("hosts", [2, 3, 10])
def test_a_share_with_another_image_makes_each_host_start_again_once_a_day_and_image_at_most(hosts: int) -> None:
    gets = {f"h{number}": "one" for number in range(hosts)} | {"h0": "two"}
    cluster = Cluster(gets, "h0")
    cluster.run(2 * DAY_S)
    assert cluster.most_in_vain() == 1
    assert len(cluster.went) <= 2 * hosts  # in two days, and each host misses one image


def test_one_host_that_comes_back_with_an_old_image_makes_no_host_start_twice() -> None:
    gets = {f"h{number}": "two" for number in range(5)} | {"h2": "one"}
    cluster = Cluster(gets, "h0")
    cluster.run(DAY_S - 1)
    assert max(sum(who == host for who, _, _ in cluster.went) for host in gets) <= 2  # for the new one, and the old one
    assert cluster.most_in_vain() == 1


@given(st.lists(st.sampled_from(["one", "two", "three"]), min_size=2, max_size=8), st.data())
def test_whichever_images_hosts_get_none_goes_for_one_twice_a_day_in_vain(
    images: list[str], data: st.DataObject
) -> None:
    gets = {f"h{number}": image for number, image in enumerate(images)}
    cluster = Cluster(gets, data.draw(st.sampled_from(sorted(gets))))
    cluster.run(DAY_S)
    assert cluster.most_in_vain() <= 1


def gone_for_image(world: World, host: str) -> list[float]:
    return [at for at, who, departure in world.departures if who == host and departure is Departure.UPDATE]


def test_a_host_that_came_back_without_the_new_image_goes_for_it_again_when_a_day_has_passed() -> None:
    again_s = 3600.0  # for a day
    world = World(17, replace(RULES, canary_s=60.0, idle_s=1e6, update_again_s=again_s))
    populate(world, 4, 8, per_second=40)
    for host in world.alive:
        host.machine.has_disk = True
    world.others_image["host-0"] = "image-1"
    world.last_image = "image-2"
    world.add("host-new", tasks=8)
    world.run(3 * again_s)
    world.run(QUIET_S)
    assert broken(world) == []
    assert {name for name, host in world.hosts.items() if host.machine.image != "image-2"} == {"host-0"}
    times = gone_for_image(world, "host-0")
    assert len(times) >= 2
    for name in world.hosts:  # the others went for image-2 first, and then for that of host-0, which they do not get
        vain = gone_for_image(world, name)[name != "host-0" :]
        assert all(later - earlier >= again_s for earlier, later in pairwise(vain))


def test_machines_without_a_disk_start_again_once_a_day_and_image_at_most_too() -> None:
    again_s = 3600.0  # for a day
    world = World(19, replace(RULES, canary_s=60.0, idle_s=1e6, update_again_s=again_s))
    populate(world, 4, 8, per_second=40)
    for host in world.alive:
        host.machine.has_disk = False
    world.run(SKEW_S)
    world.others_image = {f"host-{number}": "image-1" for number in range(4)}
    world.last_image = "image-2"
    world.add("host-new", tasks=8, has_disk=False)
    world.run(2 * again_s)
    assert world.departures
    for name in world.hosts:
        times = gone_for_image(world, name)
        assert all(later - earlier >= again_s for earlier, later in pairwise(times))


def test_a_machine_that_loses_its_disk_forgets_that_it_went_for_an_image() -> None:
    world = World(18, RULES)
    populate(world, 2, 0, per_second=40)
    keeps, loses = world.hosts["host-0"], world.hosts["host-1"]
    assert not loses.machine.has_disk
    for host in (keeps, loses):
        host.went["image-2"] = world.time.now
        world.crash(host)
        world.reboot(host)
    world.run(1.0)
    assert list(keeps.went) == ["image-2"]
    assert loses.went == {}
