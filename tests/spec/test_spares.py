"""Spare hosts: what parses, what is refused and with which advice."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from supervisor.spec.problems import refusal
from supervisor.spec.redfish import Redfish
from supervisor.spec.refused import Refused
from supervisor.spec.spares import Command, Spare, Spares, parse_spare
from supervisor.spec.wake_on_lan import WakeOnLan

MAC = "00:5c:52:31:3a:9c"
SYSTEM = "https://bmc7/redfish/v1/Systems/1"


@pytest.mark.parametrize(
    ("written", "way"),
    [
        (f"wol:{MAC}", WakeOnLan(MAC)),
        ("wol:00-5C-52-31-3A-9C", WakeOnLan(MAC)),
        (f"wol:{MAC}@192.168.7.255", WakeOnLan(MAC, "192.168.7.255")),
        (f"wol:{MAC}@10.0.0.255:7", WakeOnLan(MAC, "10.0.0.255", 7)),
        (f"redfish:{SYSTEM}?credentials=/etc/bmc", Redfish("https://bmc7", "/redfish/v1/Systems/1", "/etc/bmc")),
        (
            "redfish:https://BMC7.example:8443/redfish/v1/Systems/System.Embedded.1/?ca=/etc/a%3Bb.pem&credentials=/a//b",
            Redfish("https://bmc7.example:8443", "/redfish/v1/Systems/System.Embedded.1", "/a/b", "/etc/a;b.pem"),
        ),
        (
            "redfish:https://[fe80::0:1]:443/redfish/v1/Systems/a?credentials=/a+b",
            Redfish("https://[fe80::1]", "/redfish/v1/Systems/a", "/a+b"),
        ),
        ("command:/bin/start 'rack 1'  7", Command(("/bin/start", "rack 1", "7"))),
        ('command:/bin/start "" \\$x', Command(("/bin/start", "", "$x"))),
    ],
)
def test_spares(written: str, way: object) -> None:
    spare = parse_spare(f" rack1-host7={written} ")
    assert spare == Spare("rack1-host7", way)  # type: ignore[arg-type]
    assert parse_spare(str(spare)) == spare


@pytest.mark.parametrize(
    ("written", "says", "remedy"),
    [
        (7, "not a spare host", "for example"),
        (f"a=wol:{MAC}\n", "not a spare host", "one line"),
        ("", "the id of a host is missing", "'='"),
        (f"wol:{MAC}", "the id of a host is missing", "a-z"),
        (f"A=wol:{MAC}", "the id of a host is missing", "a-z"),
        ("a=ipmi:x", "no such way", "'wol:', 'redfish:', 'command:'"),
        (f"a={MAC}", "no such way", "'wol:'"),
        ("a=wol:", "not a MAC address", "six pairs"),
        (f"a=wol:{MAC}:00", "not a MAC address", "six pairs"),
        ("a=wol:00:5c-52:31:3a:9c", "not a MAC address", "six pairs"),
        ("a=wol:ff:ff:ff:ff:ff:ff", "of one card", "link/ether"),
        ("a=wol:00:00:00:00:00:00", "of one card", "link/ether"),
        (f"a=wol:{MAC}@", "not an IPv4 address", "leave @… out"),
        (f"a=wol:{MAC}@eth0", "not an IPv4 address", "leave @… out"),
        (f"a=wol:{MAC} b=wol:{MAC}", "not a MAC address", "six pairs"),
        (f"a=wol:{MAC}@10.0.0.255:0", "not a port", "1 to 65535"),
        (f"a=wol:{MAC}@10.0.0.255:", "not a port", "1 to 65535"),
        ("a=redfish:bmc7", "not a URL of https", "TLS"),
        ("a=redfish:https://[bmc", "not a URL", "for example"),
        (f"a=redfish:{SYSTEM.replace('https', 'http')}?credentials=/a", "not a URL of https", "TLS"),
        ("a=redfish:https://u:p@bmc/redfish/v1/Systems/1?credentials=/a", "must not hold a password", "mode 0600"),
        ("a=redfish:https:///redfish/v1/Systems/1?credentials=/a", "host is missing", "after https://"),
        ("a=redfish:https://b:0/redfish/v1/Systems/1?credentials=/a", "port 0", "65535"),
        ("a=redfish:https://b:99999/redfish/v1/Systems/1?credentials=/a", "not a port", "after https://"),
        ("a=redfish:https://bmc?credentials=/a", "not the URL of one system", "@odata.id"),
        ("a=redfish:https://bmc/redfish/v1/Systems?credentials=/a", "not the URL of one system", "@odata.id"),
        ("a=redfish:https://bmc/redfish/v1/Systems/..?credentials=/a", "not the URL of one system", "@odata.id"),
        (f"a=redfish:{SYSTEM}?credentials=/a#b", "not the URL of one system", "@odata.id"),
        (f"a=redfish:{SYSTEM}", "user:password is missing", "?credentials=/path"),
        (f"a=redfish:{SYSTEM}?credentials=a", "not an absolute path", "credentials=/etc"),
        (f"a=redfish:{SYSTEM}?credentials=/a%ff", "not an absolute path", "credentials=/etc"),
        (f"a=redfish:{SYSTEM}?credentials=/a%00", "not an absolute path", "credentials=/etc"),
        (f"a=redfish:{SYSTEM}?credentials=/a&credentials=/b", "credentials stands there twice", "take one out"),
        (f"a=redfish:{SYSTEM}?credentials=/a&password=x", "another parameter", "take it out"),
        ("a=command:", "no program is named", "for example"),
        ("a=command:''", "no program is named", "for example"),
        ("a=command:start 7", "not absolute", "begin the path"),
        ("a=command:/bin/start 'x", "has no end", "close the quotes"),
        ("a=command:/bin/start && /bin/stop", "there is no shell", "script"),
        ("a=command:/bin/a; /bin/b", "stands between spares", "script"),
    ],
)
def test_refusals_say_what_to_write(written: object, says: str, remedy: str) -> None:
    with pytest.raises(Refused, match=re.escape(says)) as caught:
        parse_spare(written)
    assert remedy in caught.value.remedy
    assert caught.value.allowed


def test_no_password_comes_to_stand_in_a_log() -> None:
    written = ["a=redfish:https://root:calvin@bmc/redfish/v1/Systems/1"]
    with pytest.raises(Refused) as caught:
        Spares().parse(written)
    told = str(refusal(caught.value, "spares", written))
    assert "https://…@bmc" in told
    assert "calvin" not in told


def test_a_list_is_a_list_or_one_text() -> None:
    kind = Spares()
    spares = kind.parse([f"b=wol:{MAC}", "a=command:/bin/start a"])
    assert [spare.id for spare in spares] == ["b", "a"]
    assert kind.parse(kind.read(f"b=wol:{MAC}; a=command:/bin/start a")) == spares
    assert kind.tell(spares) == f"b=wol:{MAC}; a=command:/bin/start a"
    assert kind.tell(()) == "none"
    assert kind.parse("none") == kind.parse("") == kind.parse([]) == ()


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (7, "not a list of spare hosts"),
        ([f"a=wol:{MAC}", "b"], "spare 2: the id of a host is missing"),
        (f"a=wol:{MAC};", "spare 2: the id of a host is missing"),
        ([f"a=wol:{MAC}", "b=command:/x", "a=command:/x"], "the host a stands there twice"),
    ],
)
def test_a_list_is_refused_with_what_is_wrong_in_it(value: object, says: str) -> None:
    with pytest.raises(Refused, match=re.escape(says)):
        Spares().parse(value)


ids = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
macs = st.lists(st.integers(0, 255), min_size=5, max_size=5).map(lambda rest: bytes([2, *rest]).hex(":"))
addresses = st.ip_addresses(v=4).map(str)
printable = st.text(max_size=20).filter(lambda text: text.isprintable() and ";" not in text)
paths = st.text(max_size=20).filter(str.isprintable).map(lambda text: "/x" + text.replace("/", ""))
systems = st.from_regex(r"/redfish/v1/Systems/[A-Za-z0-9_~:@!$+,=-]{1,20}", fullmatch=True)
origins = st.tuples(st.sampled_from(["bmc", "bmc.example", "[::1]", "10.0.0.7"]), st.sampled_from(["", ":8443"])).map(
    lambda parts: f"https://{''.join(parts)}"
)
ways = st.one_of(
    st.builds(WakeOnLan, macs),
    st.builds(WakeOnLan, macs, addresses, st.integers(1, 65_535)),
    st.builds(Redfish, origins, systems, paths, st.none() | paths),
    st.builds(lambda first, rest: Command((first, *rest)), printable.map(lambda text: f"/{text}"), st.lists(printable)),
)


@settings(deadline=None)
@given(st.lists(st.builds(Spare, ids, ways), unique_by=lambda spare: spare.id, max_size=5))
def test_what_is_told_is_read_again(spares: list[Spare]) -> None:
    kind = Spares()
    assert kind.parse(kind.tell(spares)) == tuple(spares)
    assert kind.parse(list(map(str, spares))) == tuple(spares)


@settings(deadline=None)
@given(
    st.text()
    | st.from_regex(r"\Aa=(wol:[0-9a-f:@.]{0,30}|command:/.{0,20})\Z")
    | st.text(alphabet="/%?&=;:@[]#ab1", max_size=30).map(lambda text: f"a=redfish:{SYSTEM}{text}")
)
def test_any_text_is_a_spare_or_refused(text: str) -> None:
    try:
        spare = parse_spare(text)
    except Refused:
        return
    assert parse_spare(str(spare)) == spare
