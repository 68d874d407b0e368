"""Names of network interfaces as a setting of the host."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from supervisor.spec.kinds import Interfaces
from supervisor.spec.refused import Refused
from supervisor.spec.settings_load import load_settings

NAMES = some.lists(some.from_regex(r"[a-z][a-z0-9.@_-]{0,14}", fullmatch=True), unique=True)


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (["eth0", "lo"], ("eth0", "lo")),
        ("eth0, lo", ("eth0", "lo")),
        (["eth0", "eth0"], ("eth0",)),
        ([], ()),
        ("none", ()),
        ("br-5.1", ("br-5.1",)),
    ],
)
def test_names(value: object, names: tuple[str, ...]) -> None:
    assert Interfaces().parse(value) == names


@pytest.mark.parametrize("value", ["", "eth0,", "a b", "a/b", "..", "x" * 16, 5, [5], [["lo"]], True, None, {"lo": 1}])
def test_what_is_none(value: object) -> None:
    with pytest.raises(Refused) as caught:
        Interfaces().parse(value)
    assert "`ip link`" in caught.value.remedy


@given(NAMES.filter(lambda names: names != ["none"]))
def test_what_is_told_is_what_is_read(names: list[str]) -> None:
    kind = Interfaces()
    assert kind.parse(kind.read(kind.tell(tuple(names)))) == tuple(names)


def test_from_the_environment() -> None:
    environment = {"ISOLATED_SHAPE_INTERFACES": "eth0,lo", "ISOLATED_TAKE_QDISCS": "true"}
    settings = load_settings(None, environment)
    assert (settings.shape_interfaces, settings.take_qdiscs) == (("eth0", "lo"), True)
    assert load_settings(None, {"ISOLATED_SHAPE_INTERFACES": "none"}).shape_interfaces == ()
    assert load_settings(None, {"ISOLATED_SHAPE_INTERFACES": "auto"}).shape_interfaces is None
