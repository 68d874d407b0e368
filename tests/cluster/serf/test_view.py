"""What a host knows of the others."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.cluster.membership import Burst
from supervisor.cluster.serf import known
from supervisor.cluster.serf.seen import Seen
from supervisor.cluster.serf.view import ENDING_S, GIVE_UP_S, View
from supervisor.cluster.values import HostState, Member, MemberState
from tests.cluster.serf.samples import member, seen

OWN = member("own")


def of(view: View, name: str) -> Member:
    return next(each for each in view.members if each.id == name)


def test_since_is_when_alive_changed_and_not_when_a_tag_did() -> None:
    view = View(OWN)
    view.see([seen(member("a"))], 10.0)
    view.see([seen(member("a", room=False))], 11.0)
    assert (of(view, "a").since, of(view, "a").room) == (10.0, False)
    view.see([seen(member("a", alive=MemberState.FAILED))], 12.0)
    assert (of(view, "a").since, of(view, "a").alive) == (12.0, MemberState.FAILED)
    view.see([seen(member("a", alive=MemberState.FAILED))], 13.0)
    assert of(view, "a").since == 12.0


def test_what_happens_between_two_bursts_is_told_once() -> None:
    view = View(OWN)
    assert view.burst() == Burst((OWN,))
    for now in (1.0, 2.0, 3.0):
        view.see([seen(member("a", room=now == 2.0))], now)
        view.see([seen(member("b"))], now)
    view.forget("b")
    burst = view.burst()
    assert [each.id for each in burst.changed] == ["a"]
    assert burst.changed[0].room is False
    assert burst.forgotten == ("b",)
    assert not view.burst()


def test_a_new_reader_gets_everybody() -> None:
    view = View(OWN)
    view.see([seen(member("a"))], 1.0)
    view.burst()
    view.untold()
    assert [each.id for each in view.burst().changed] == ["a", "own"]


def test_who_failed_stays_though_a_new_agent_never_heard_of_it() -> None:
    view = View(OWN)
    view.see([seen(member("a", alive=MemberState.FAILED)), seen(member("b"))], 1.0)
    view.miss([seen(OWN)], 20.0)
    assert (of(view, "a").alive, of(view, "a").since) == (MemberState.FAILED, 1.0)
    assert (of(view, "b").alive, of(view, "b").since) == (MemberState.FAILED, 20.0)
    assert view.others_alive is False


def test_who_failed_a_day_ago_is_not_expected_any_more_and_never_unknown() -> None:
    view = View(OWN)
    view.see([seen(member("a", alive=MemberState.FAILED)), seen(member("b"))], 1.0)
    view.miss([seen(OWN)], 20.0)
    view.miss([seen(OWN)], 1.0 + GIVE_UP_S)
    assert (of(view, "a").alive, of(view, "a").since) == (MemberState.LEFT, 1.0 + GIVE_UP_S)
    assert of(view, "b").alive is MemberState.FAILED
    view.miss([seen(OWN)], 1.0 + 9 * GIVE_UP_S)
    assert (of(view, "a").since, of(view, "b").alive) == (1.0 + GIVE_UP_S, MemberState.LEFT)
    view.see([seen(member("a"))], 10 * GIVE_UP_S)
    assert of(view, "a").alive is MemberState.ALIVE
    view.give_up("a", 11 * GIVE_UP_S)  # its agent says that it does not remember it
    view.give_up("own", 11 * GIVE_UP_S)
    view.give_up("never-seen", 11 * GIVE_UP_S)
    assert {each.id: each.alive for each in view.members} == {
        "a": MemberState.LEFT, "b": MemberState.LEFT, "own": MemberState.ALIVE,
    }  # fmt: skip


@pytest.mark.parametrize("gone", [MemberState.FAILED, MemberState.LEFT])
def test_who_will_not_come_back_is_forgotten_though_agents_list_it_until_it_does(gone: MemberState) -> None:
    view = View(OWN)
    dead = member("a", alive=gone, boot_time=100.0)
    view.see([seen(dead)], 1.0)
    view.end("a", 100.0, 1.0)
    view.see([seen(dead)], 2.0)
    view.miss([seen(dead)], 3.0)
    assert [each.id for each in view.members] == ["own"]
    view.see([seen(member("a", boot_time=200.0))], 4.0)
    view.end("a", 100.0, 4.0)  # an agent that was away hears of it late
    view.see([seen(member("a", alive=gone, boot_time=200.0))], 5.0)
    view.end("a", 100.0, 5.0)
    assert of(view, "a").alive is gone


@pytest.mark.parametrize(("failed_at", "is_forgotten"), [(2.5, True), (2.5 + ENDING_S, False)])
def test_who_will_not_come_back_may_seem_alive_for_a_while(failed_at: float, is_forgotten: bool) -> None:
    view = View(OWN)
    view.see([seen(member("a"))], 1.0)
    view.end("a", of(view, "a").boot_time, 2.0)
    assert of(view, "a").alive is MemberState.ALIVE
    view.see([seen(member("a", alive=MemberState.FAILED))], failed_at)
    assert ("a" not in [each.id for each in view.members]) is is_forgotten


def test_who_will_not_come_back_is_unknown_to_who_hears_of_it_first() -> None:
    view = View(OWN)
    view.end("a", 100.0, 1.0)
    view.see([seen(member("a", alive=MemberState.FAILED))], 1.0)
    assert [each.id for each in view.members] == ["own"]


def test_this_host_is_what_it_says_and_nobody_elses_word_counts() -> None:
    view = View(OWN)
    view.see([seen(replace(OWN, alive=MemberState.LEFT, room=False))], 1.0)
    view.forget("own")
    view.end("own", 1e12, 1.0)
    assert view.own == OWN
    assert view.tell(HostState.DRAINING, room=False) is True
    assert view.tell(HostState.DRAINING, room=False) is False
    assert view.own == replace(OWN, state=HostState.DRAINING, room=False)


def test_a_member_without_a_hosts_tags_is_told_once_and_is_no_host() -> None:
    view = View(OWN)
    stranger = Seen("laptop", MemberState.ALIVE, "10.0.0.9:7946", {"role": "x"})
    assert view.see([stranger], 1.0) == [stranger]
    assert view.see([stranger], 2.0) == []
    assert [each.id for each in view.members] == ["own"]


def test_a_host_that_loses_its_tags_keeps_its_last_ones() -> None:
    view = View(OWN)
    view.see([seen(member("a"))], 1.0)
    view.see([Seen("a", MemberState.FAILED, "", {})], 2.0)
    assert of(view, "a") == member("a", alive=MemberState.FAILED, since=2.0)


hosts = st.builds(
    member,
    st.sampled_from(["a", "b", "c", "own"]),
    alive=st.sampled_from(MemberState),
    state=st.sampled_from(HostState),
    room=st.booleans(),
)
acts = st.lists(
    st.tuples(st.just("see"), st.lists(hosts, max_size=4))
    | st.tuples(st.just("miss"), st.lists(hosts, max_size=4))
    | st.tuples(st.sampled_from(["forget", "end"]), st.lists(hosts, min_size=1, max_size=1))
    | st.tuples(st.just("burst"), st.just([]))
)


@given(acts)
def test_who_follows_the_bursts_knows_what_the_view_knows(done: list[tuple[str, list[Member]]]) -> None:
    view, followed = View(OWN), dict[str, Member]()
    before: dict[str, Member] = {}
    for now, (act, members) in enumerate([*done, ("burst", [])]):
        match act:
            case "see":
                view.see(map(seen, members), float(now))
            case "miss":
                view.miss(map(seen, members), float(now))
            case "forget":
                view.forget(members[0].id)
            case "end":
                view.end(members[0].id, members[0].boot_time, float(now))
            case _:
                burst = view.burst()
                followed |= {each.id: each for each in burst.changed}
                for name in burst.forgotten:
                    followed.pop(name, None)
        after = {each.id: each for each in view.members}
        for name in before.keys() & after.keys():  # since moves when alive does, and never back
            moved = before[name].alive is not after[name].alive
            assert after[name].since >= before[name].since
            assert moved or after[name].since == before[name].since or act == "see"
        before = after
    assert tuple(followed[name] for name in sorted(followed)) == view.members


def test_the_next_process_knows_who_will_not_come_back() -> None:
    dead = member("a", alive=MemberState.FAILED)
    view = View(OWN, [dead])
    view.end("a", dead.boot_time, 1.0)
    data = known.dump([], view.ended)
    assert known.load_ended(data) == ["a"]
    after = View(OWN, known.load(data, 2.0), known.load_ended(data))
    after.see([seen(dead)], 3.0)  # its agent still lists it
    assert [each.id for each in after.members] == ["own"]
    after.see([seen(member("a"))], 4.0)
    assert of(after, "a").alive is MemberState.ALIVE
    assert after.ended == frozenset()


def test_the_next_process_takes_those_it_knew_for_failed_until_they_are_seen() -> None:
    members = [member("a"), member("b", alive=MemberState.LEFT), member("c", alive=MemberState.FAILED)]
    loaded = known.load(known.dump(members), 50.0)
    assert [(each.id, each.alive, each.since) for each in loaded] == [
        ("a", MemberState.FAILED, 50.0),
        ("b", MemberState.LEFT, 50.0),
        ("c", MemberState.FAILED, 50.0),
    ]
    view = View(OWN, loaded)
    view.see([seen(member("a"))], 51.0)
    assert (of(view, "a").alive, of(view, "a").since) == (MemberState.ALIVE, 51.0)


@given(
    st.binary(max_size=200)
    | st.sampled_from([b"[]", b"{}", b'{"version":1,"hosts":[1,{"id":"a"},{"id":2,"tags":{}}]}', b"[" * 99999])
)
def test_a_damaged_file_knows_nobody(data: bytes) -> None:
    assert known.load(data, 1.0) == []
    assert known.load_ended(data) == []
