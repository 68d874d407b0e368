"""Hosts as tags, and what does not fit into them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.cluster.serf.errors import IdentityRefused
from supervisor.cluster.serf.seen import Seen, members_of
from supervisor.cluster.serf.tags import LARGEST, check, member_of, size, tags_of
from supervisor.cluster.values import HostState, Member, MemberState
from supervisor.printable import printable
from tests.cluster.serf.samples import member, seen

members = st.builds(
    Member,
    id=st.from_regex(r"[a-z0-9-]{1,64}", fullmatch=True),
    boot_time=st.integers(0, 2**42).map(lambda milliseconds: milliseconds / 1000),
    api=st.sampled_from(["10.0.0.1:7000", "[fe80::1]:1", "host-3.example:65535"]),
    alive=st.sampled_from(MemberState),
    state=st.sampled_from(HostState),
    room=st.booleans(),
    image=st.text(max_size=40).map(printable),
    since=st.just(7.0),
)


@given(members)
def test_a_host_comes_back_from_its_tags(host: Member) -> None:
    check(host)
    assert member_of(seen(host), 7.0) == host
    assert size(tags_of(host)) <= LARGEST


@given(
    st.dictionaries(st.sampled_from(["boot", "api", "state", "room", "image"]), st.text(max_size=30)),
    st.text(max_size=9),
)
def test_tags_of_others_are_a_host_or_nothing(tags: dict[str, str], name: str) -> None:
    found = member_of(Seen(name, MemberState.ALIVE, "", tags), 1.0)
    assert found is None or (found.id == name and printable(found.image) == found.image)


@pytest.mark.parametrize("boot", ["nan", "inf", "", "soon"])
def test_a_time_that_is_none_is_no_hosts(boot: str) -> None:
    tags = tags_of(member()) | {"boot": boot}
    assert member_of(Seen("h1", MemberState.ALIVE, "", tags), 1.0) is None


@given(st.integers(0, 600))
def test_the_bound_holds_in_every_state(length: int) -> None:
    host = member(image="x" * length)
    worst = max(size(tags_of(replace(host, state=state))) for state in HostState)
    try:
        check(host)
        assert worst <= LARGEST
    except IdentityRefused:
        assert worst > LARGEST


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "Host"}, ["hostId", '"Host"', "1 to 64 of a-z, 0-9 and -"]),
        ({"name": "x" * 65}, ["hostId"]),
        ({"name": ""}, ["hostId"]),
        ({"api": "nowhere"}, ["api", "host:port"]),
        ({"image": "x" * 500}, ["image", "447 bytes", "512", "use a shorter one"]),
        ({"image": "a\nb"}, ["image", "printable"]),
    ],
)
def test_what_cannot_be_published_is_refused_with_what_could(changes: dict[str, str], words: list[str]) -> None:
    with pytest.raises(IdentityRefused) as refused:
        check(member(**changes))
    assert all(word in str(refused.value) for word in words), str(refused.value)


def test_the_longest_image_that_is_allowed_is_accepted() -> None:
    check(member(image="x" * 447))


def test_members_are_read_from_an_answer() -> None:
    v4 = b"\0" * 10 + b"\xff\xff" + bytes([10, 0, 0, 7])
    body = {
        b"Members": [
            {b"Name": b"a", b"Status": b"alive", b"Addr": v4, b"Port": 7946, b"Tags": {b"x": b"1"}},
            {b"Name": b"b", b"Status": b"leaving", b"Addr": bytes(15) + b"\1", b"Port": 1, b"Tags": None},
            {b"Name": b"c", b"Status": b"none", b"Addr": b"odd"},
            7,
        ]
    }
    assert members_of(body) == [
        Seen("a", MemberState.ALIVE, "10.0.0.7:7946", {"x": "1"}),
        Seen("b", MemberState.LEFT, "[::1]:1", {}),
        Seen("c", None, "", {}),
    ]
    assert members_of(None) == members_of({b"Members": None}) == []
