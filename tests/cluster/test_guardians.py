"""Who guards a task, and which of them have to agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import replace
from itertools import combinations, product

from hypothesis import given
from hypothesis import strategies as st

from supervisor.cluster.guardians import agreed, chosen, first_claimed, quorums, regarded, settled, union, upheld
from supervisor.cluster.rendezvous import Rendezvous, group_of
from supervisor.cluster.rules import Rules
from supervisor.cluster.values import HostState, MemberState, Mode
from supervisor.cluster.view import View
from tests.fakes.cluster import member, record

RULES = Rules()
HOSTS = [f"host-{number}" for number in range(12)]


def test_the_order_of_hosts_depends_on_nothing_but_names() -> None:
    one, other = Rendezvous(), Rendezvous()
    other.first(7, {"host-3", "host-5"}, 2)  # learns some of them before
    for group in range(50):
        assert one.first(group, set(HOSTS), 5) == other.first(group, set(HOSTS), 5)


def test_a_host_less_moves_only_what_it_had() -> None:
    order = Rendezvous()
    for group in range(200):
        before = order.first(group, set(HOSTS), 3)
        after = order.first(group, set(HOSTS) - {"host-4"}, 3)
        assert [host for host in before if host != "host-4"] == list(after[: 3 - ("host-4" in before)])


def test_guarding_is_spread_over_all_hosts() -> None:
    order = Rendezvous()
    shares = Counter(host for group in range(1024) for host in order.first(group, set(HOSTS), 3))
    assert all(0.7 < shares[host] / (1024 * 3 / 12) < 1.3 for host in HOSTS)
    assert len({group_of(f"task-{number}") for number in range(5000)}) > 1000


def test_neither_the_owner_nor_a_draining_or_failed_host_guards() -> None:
    members = [member(host) for host in HOSTS[:6]]
    members += [member("going", state=HostState.DRAINING), member("gone", alive=MemberState.FAILED)]
    for number in range(100):
        guardians = chosen(f"task-{number}", View(members), Rendezvous(), RULES, owner="host-0")
        assert len(guardians) == 3
        assert not {"host-0", "going", "gone"} & set(guardians)


def test_in_a_small_cluster_all_others_guard_and_a_host_alone_needs_none() -> None:
    two, one = View([member("a"), member("b")]), View([member("a")])
    assert chosen("task", two, Rendezvous(), RULES, owner="a") == ("b",)
    assert chosen("task", one, Rendezvous(), RULES, owner="a") == ()
    assert agreed(quorums(record(owner="a"), one, 0.0, RULES), ())


def test_a_strict_task_without_guardians_is_guarded_by_its_owner() -> None:
    view = View([member("a"), member("b")])
    alone = record(owner="a", mode=Mode.STRICT)
    assert quorums(alone, view, 0.0, RULES) == (("a",), ())
    assert regarded(alone, ("b",)).previous == ("a",)
    assert union(regarded(alone, ("b",))) == ("b", "a")
    assert quorums(record(owner="a"), view, 0.0, RULES) == ((), ())


def test_the_first_claim_includes_every_later_guardian_whoever_becomes_the_owner() -> None:
    view, order = View(map(member, HOSTS)), Rendezvous()
    for number in range(50):
        claimed = first_claimed(f"task-{number}", view, order, RULES, mode=Mode.BEST_EFFORT)
        for owner in HOSTS:
            assert set(chosen(f"task-{number}", view, order, RULES, owner=owner)) <= set(claimed)


def test_both_sides_of_a_partition_ask_the_same_hosts_for_a_new_strict_task() -> None:
    one = View(
        member(host, alive=MemberState.FAILED if number < 6 else MemberState.ALIVE) for number, host in enumerate(HOSTS)
    )
    other = View(
        member(host, alive=MemberState.ALIVE if number < 6 else MemberState.FAILED) for number, host in enumerate(HOSTS)
    )
    asked = [first_claimed("task", view, Rendezvous(), RULES, mode=Mode.STRICT) for view in (one, other)]
    assert asked[0] == asked[1]
    assert not all(
        agreed(quorums(record(guardians=claimed, mode=Mode.STRICT), view, 1e9, RULES), [m.id for m in view.alive])
        for claimed, view in zip(asked, (one, other), strict=True)
    )


def test_a_change_of_guardians_needs_most_of_the_old_and_of_the_new() -> None:
    view = View(map(member, HOSTS))
    first = record(owner="host-11", guardians=("host-0", "host-1", "host-2"))
    under_way = regarded(first, ("host-2", "host-3", "host-4"))
    sets = quorums(under_way, view, 0.0, RULES)
    assert not agreed(sets, ("host-2", "host-3", "host-4"))
    assert not agreed(sets, ("host-0", "host-1", "host-2"))
    assert agreed(sets, ("host-1", "host-2", "host-3"))
    assert quorums(settled(under_way), view, 0.0, RULES)[1] == ()


SETS = st.lists(st.sets(st.sampled_from(HOSTS[:8]), max_size=3).map(lambda each: tuple(sorted(each))))


@given(SETS)
def test_what_upholds_a_record_and_a_claim_by_any_other_in_force_share_a_host(wanted: list[tuple[str, ...]]) -> None:
    """An owner may give a change up for another one; whatever is in force then meets whatever was."""
    view = View(map(member, HOSTS))
    for first_ones in ((), ("host-0", "host-1"), ("host-0", "host-1", "host-2")):
        in_force = [record(owner="host-11", guardians=first_ones, mode=Mode.STRICT)]
        for guardians in wanted:
            in_force.append(regarded(in_force[-1], guardians))
        for one, other in product(in_force, repeat=2):
            for yes in _least(union(one), quorums(one, view, 0.0, RULES)):
                rest = set(HOSTS) - yes
                assert not agreed(quorums(other, view, 0.0, RULES), rest)


@given(SETS, SETS)
def test_what_the_first_record_of_an_epoch_needs_is_too_much_for_the_owner_before(
    wanted: list[tuple[str, ...]], chosen_then: list[tuple[str, ...]]
) -> None:
    """The guardians say yes to the claim of an owner that moves its task: the record has to end that."""
    view = View(map(member, HOSTS))
    for first_ones in ((), ("host-0", "host-1"), ("host-0", "host-1", "host-2")):
        in_force = [record(owner="host-11", guardians=first_ones, mode=Mode.STRICT)]
        for guardians in wanted:
            in_force.append(regarded(in_force[-1], guardians))
        for moved, guardians in product(in_force, chosen_then):
            new = replace(
                regarded(moved, guardians), owner="host-9"
            )  # names the guardians before as the first record of an epoch does
            for yes in _least(union(new), quorums(new, view, 0.0, RULES), agreed):
                rest = set(HOSTS) - yes
                assert not any(upheld(quorums(before, view, 0.0, RULES), rest) for before in in_force)


def _least(
    hosts: tuple[str, ...],
    sets: tuple[tuple[str, ...], ...],
    enough: Callable[[tuple[tuple[str, ...], ...], Collection[str]], bool] = upheld,
) -> list[set[str]]:
    """What is just enough: for an owner, which is less than every claim needs, or for a claim."""
    found: list[set[str]] = []
    for size in range(len(hosts) + 1):
        for yes in map(set, combinations(hosts, size)):
            assert upheld(sets, yes) or not agreed(sets, yes)
            if enough(sets, yes) and not any(less <= yes for less in found):
                found.append(yes)
    return found


def test_dead_guardians_are_not_waited_for_by_who_sees_most_hosts_unless_the_task_is_strict() -> None:
    dead = [member(host, alive=MemberState.FAILED, since=100.0) for host in HOSTS[:3]]
    most, few = View([*dead, *map(member, HOSTS[3:7])]), View([*dead, *map(member, HOSTS[3:5])])
    task = record(guardians=tuple(HOSTS[:3]))
    strict = record(guardians=tuple(HOSTS[:3]), mode=Mode.STRICT)
    late, soon = 101.0 + RULES.grace_s, 99.0 + RULES.grace_s
    assert agreed(quorums(task, most, late, RULES), ())
    assert not agreed(quorums(task, most, soon, RULES), ())
    assert not agreed(quorums(task, few, late, RULES), ())
    assert not agreed(quorums(strict, most, late, RULES), ())


def test_who_said_goodbye_is_not_counted_unless_the_task_is_strict() -> None:
    view = View([member("a"), member("b", alive=MemberState.LEFT)])
    guardians = ("a", "b", "never-seen")
    assert quorums(record(guardians=guardians), view, 0.0, RULES)[0] == ("a",)
    assert quorums(record(guardians=guardians, mode=Mode.STRICT), view, 0.0, RULES)[0] == guardians
    ended = View(view.members.values(), ["never-seen"])
    assert quorums(record(guardians=guardians, mode=Mode.STRICT), ended, 0.0, RULES)[0] == ("a", "b")
