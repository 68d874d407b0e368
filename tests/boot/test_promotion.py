"""Promoted versions and the share of machines that tries one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.boot.promotion import Promotion, parse_share, parse_version, read_promotion, write_promotion
from supervisor.spec.refused import Refused
from tests.boot.test_identity import MACS

VERSIONS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)
SHARES = st.floats(0, 1)


@given(VERSIONS, VERSIONS, SHARES, MACS)
def test_a_machine_gets_the_same_each_time_and_keeps_it_when_the_share_grows(
    stable: str, canary: str, share: float, mac: str
) -> None:
    small, large = Promotion(stable, canary, share / 2), Promotion(stable, canary, share)
    assert small.version_for(mac) == small.version_for(mac)
    if small.version_for(mac) == canary:
        assert large.version_for(mac) == canary


def test_about_the_share_of_the_machines_tries_it_and_not_always_the_same() -> None:
    macs = [f"52:54:00:00:{n >> 8:02x}:{n & 255:02x}" for n in range(2000)]
    tried = {name: {m for m in macs if Promotion("old", name, 0.1).version_for(m) == name} for name in ("v2", "v3")}
    assert all(140 < len(each) < 260 for each in tried.values())  # ten per cent, four deviations
    assert len(tried["v2"] & tried["v3"]) < 60


def test_nothing_promoted_is_nothing_to_boot() -> None:
    assert Promotion().version_for("52:54:00:00:00:01") is None


def test_promoting_for_all_ends_a_trial() -> None:
    trial = Promotion("v1").promote("v2", 0.5)
    assert trial == Promotion("v1", "v2", 0.5)
    assert trial.promote("v2", None) == Promotion("v2")
    assert trial.promote("v2", 1.0) == Promotion("v2")


def test_a_trial_needs_a_version_for_the_others() -> None:
    with pytest.raises(Refused, match="no promoted version"):
        Promotion().promote("v1", 0.1)


@given(st.none() | VERSIONS, st.none() | VERSIONS, SHARES)
def test_a_promotion_comes_back_from_its_file(stable: str | None, canary: str | None, share: float) -> None:
    promotion = Promotion(stable, canary, share)
    assert read_promotion(write_promotion(promotion)) == promotion


@given(st.text() | st.sampled_from(['{"stable": "../x"}', '{"share": 2}', "[]", '{"share": "x"}', '{"stable": 1}']))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        read_promotion(text)


@pytest.mark.parametrize(("text", "share"), [("10%", 0.1), ("0.1", 0.1), ("100%", 1.0), (" 5 %", 0.05)])
def test_shares_are_read_in_both_forms(text: str, share: float) -> None:
    assert parse_share(text) == pytest.approx(share)


@pytest.mark.parametrize("text", ["0", "0%", "101%", "2", "-1%", "nan", "ten", ""])
def test_what_is_no_share_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        parse_share(text)


@pytest.mark.parametrize("text", ["", ".", "..", "a/b", ".hidden", "a b", "x" * 65, 7])
def test_a_version_is_the_name_of_a_folder_and_no_way_out(text: object) -> None:
    with pytest.raises(Refused):
        parse_version(text)
