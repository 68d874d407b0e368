"""Listen addresses: what parses, what is refused and with which advice."""

import ipaddress
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.spec.listen import LISTEN_PATTERN, UNIX_PATH_BYTES, ListenAddress, parse_listen
from supervisor.spec.refused import Refused


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("127.0.0.1:3000", ListenAddress("tcp", "127.0.0.1", 3000)),
        ("localhost:0", ListenAddress("tcp", "localhost", 0)),
        ("LocalHost:65535", ListenAddress("tcp", "localhost", 65535)),
        ("my-host_1.example.org:80", ListenAddress("tcp", "my-host_1.example.org", 80)),
        ("[::1]:80", ListenAddress("tcp", "::1", 80)),
        ("[0:0::1]:80", ListenAddress("tcp", "::1", 80)),
        ("[fe80::1%eth0]:80", ListenAddress("tcp", "fe80::1%eth0", 80)),
        ("unix:/run/app.sock", ListenAddress("unix", path="/run/app.sock")),
        ("unix://run/./app.sock", ListenAddress("unix", path="/run/app.sock")),
        ("unix:/run/a:b c.sock", ListenAddress("unix", path="/run/a:b c.sock")),
    ],
)
def test_addresses(written: str, expected: ListenAddress) -> None:
    assert parse_listen(written) == expected
    assert parse_listen(str(expected)) == expected
    assert re.search(LISTEN_PATTERN, written)


@pytest.mark.parametrize(
    ("written", "says", "remedy"),
    [
        (3000, "a number is not an address", "write '127.0.0.1:3000'"),
        (True, "an address is a text", "127.0.0.1:3000"),
        (None, "an address is a text", "127.0.0.1:3000"),
        ("", "port is missing", "'127.0.0.1:3000'"),
        ("3000", "host is missing", "'127.0.0.1:3000'"),
        ("localhost", "port is missing", "'localhost:3000'"),
        (":8080", "host is missing", "'0.0.0.0:8080'"),
        ("*:8080", "host is missing", "'0.0.0.0:8080'"),
        ("::1:8080", "needs brackets", "'[::1]:8080'"),
        ("[localhost]:80", "not an IPv6 address", "takes no brackets"),
        ("[::1%]:80", "not an IPv6 address", "[::1]"),
        ("[::1%a/b]:80", "not an IPv6 address", "[::1]"),
        ("127.0.0.01:80", "not an IPv4 address", "0 to 255"),
        ("300.1.1.1:80", "not an IPv4 address", "0 to 255"),
        ("a..b:80", "not a host name", "localhost"),
        ("-a:80", "not a host name", "localhost"),
        ("a b:80", "not a host name", "localhost"),
        ("x" * 64 + ":80", "not a host name", "localhost"),
        ("localhost:", "not a port", "0 to 65535"),
        ("localhost:65536", "not a port", "0 to 65535"),
        ("localhost:-1", "not a port", "0 to 65535"),
        ("localhost:http", "not a port", "0 to 65535"),
        ("localhost:\u0663", "not a port", "0 to 65535"),
        ("http://localhost:80/x", "no scheme", "'localhost:80'"),
        ("/run/app.sock", "needs unix:", "unix:/absolute/path"),
        ("unix:run/app.sock", "must be absolute", "unix:/absolute/path"),
        ("unix:@abstract", "must be absolute", "unix:/absolute/path"),
        ("unix:/run/", "name of the socket", "'unix:/run/task.sock'"),
        ("unix:/run/\0", "no path can hold", "another path"),
        ("unix:/run/\ud800", "no path can hold", "another path"),
        ("unix:/" + "x" * UNIX_PATH_BYTES, "108 bytes", "shorter"),
    ],
)
def test_refusals_say_what_to_write(written: object, says: str, remedy: str) -> None:
    with pytest.raises(Refused, match=re.escape(says)) as caught:
        parse_listen(written)
    assert remedy in caught.value.remedy
    assert "unix:/path" in caught.value.allowed


def test_the_longest_unix_path_fits() -> None:
    path = "/" + "x" * (UNIX_PATH_BYTES - 1)
    assert parse_listen(f"unix:{path}").path == path
    with pytest.raises(Refused):
        parse_listen("unix:/" + "\u00e9" * (UNIX_PATH_BYTES // 2 + 1))  # counted in bytes, not characters


def hosts() -> st.SearchStrategy[str]:
    label = st.from_regex(r"\A[a-z]([a-z0-9-]{0,8}[a-z0-9])?\Z")
    return st.one_of(
        st.ip_addresses(v=4).map(str),
        st.ip_addresses(v=6).map(lambda address: f"[{address}]"),
        st.lists(label, min_size=1, max_size=4).map(".".join),
    )


@given(hosts(), st.integers(0, 65535))
def test_tcp_round_trip(host: str, port: int) -> None:
    address = parse_listen(f"{host}:{port}")
    assert address.kind == "tcp"
    assert address.port == port
    assert parse_listen(str(address)) == address
    assert parse_listen(address) == address
    assert re.search(LISTEN_PATTERN, f"{host}:{port}")


@given(st.ip_addresses(v=6))
def test_spellings_of_one_ipv6_address_are_equal(address: ipaddress.IPv6Address) -> None:
    assert parse_listen(f"[{address.exploded.upper()}]:1") == parse_listen(f"[{address.compressed}]:1")


@given(st.text() | st.from_regex(r"\A(unix:)?[/\[\]:%.a-z0-9]{0,20}(:[0-9]{0,6})?\Z"))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        address = parse_listen(text)
    except Refused:
        return
    assert parse_listen(str(address)) == address
