"""Whatever the cluster's values are, they come out of the wire as they went in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.cluster.peers import codec
from supervisor.cluster.values import (
    Admitted,
    Booted,
    Capacity,
    Cause,
    Claim,
    Full,
    Leased,
    Mode,
    Needs,
    Record,
    Refused,
    Revised,
    Version,
    Withheld,
)
from supervisor.spec.events import View
from supervisor.spec.peer_views import OutcomeView
from tests.fakes.door import record_named

ids = st.from_regex(r"[a-z0-9-]{1,64}", fullmatch=True)
labels = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", fullmatch=True)
counts = st.integers(0, 2**53)
hosts = st.lists(ids, max_size=4).map(tuple)
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
needs = st.builds(
    Needs, counts, counts, st.none() | st.lists(counts, max_size=3).map(tuple), st.none() | hosts
)  # fmt: skip
records = st.builds(
    Record, labels, counts, counts, ids | st.just(""), st.dictionaries(st.text(), values, max_size=3),
    st.none() | st.from_regex(r"[0-9a-f]{64}", fullmatch=True), st.booleans(), needs, st.sampled_from(Mode),
    hosts, hosts, st.booleans(), st.booleans(),
)  # fmt: skip
versions = st.builds(Version, counts, counts)
free = st.builds(Capacity, st.none() | counts, st.none() | counts, st.frozensets(counts, max_size=3))
outcomes = (
    st.just(Admitted()) | st.just(Booted()) | st.builds(Revised, records) | st.builds(Full, free)
    | st.builds(Refused, st.text(), st.sampled_from(Cause))
)  # fmt: skip


def sent[V: View](view: V) -> V:
    """What the other side reads."""
    text = json.dumps(view.model_dump(by_alias=True), allow_nan=False)
    return type(view).model_validate(json.loads(text), by_alias=True, by_name=False)


@given(records)
def test_records(record: Record) -> None:
    assert codec.record_of(sent(codec.record_view(record))) == record
    assert codec.record_from(json.loads(json.dumps(codec.record_document(record)))) == record


@given(outcomes)
def test_outcomes(outcome: codec.Outcome) -> None:
    assert codec.outcome_of(sent(codec.outcome_view(outcome))) == outcome


@given(st.builds(Claim, labels, st.integers(1, 2**53), ids, st.none() | versions))
def test_claims(claim: Claim) -> None:
    assert codec.claim_of(sent(codec.claim_request(claim))) == claim


@given(st.none() | st.builds(Withheld, st.none() | records, counts))
def test_a_guardians_word(withheld: Withheld | None) -> None:
    assert codec.word_of(sent(codec.word_view(withheld))) == withheld


@given(ids, st.dictionaries(labels, versions, max_size=4), st.frozensets(labels, max_size=3))
def test_leases_and_what_a_host_owns(owner: str, held: dict[str, Version], renewed: frozenset[str]) -> None:
    request = sent(codec.lease_request(owner, held))
    assert (request.owner, codec.held_of(request)) == (owner, held)
    leased = Leased(renewed, {label: version.epoch for label, version in held.items()})
    assert codec.leased_of(sent(codec.leased_view(leased))) == leased
    assert codec.owned_of(sent(codec.owned_view(held))) == held


@pytest.mark.parametrize("outcome", ["revised", "full", "refused"])
def test_an_outcome_that_does_not_say_what_belongs_to_it(outcome: Any) -> None:
    with pytest.raises(ValueError, match=outcome):
        codec.outcome_of(OutcomeView(outcome=outcome))


def test_a_record_of_a_newer_host_is_read_and_a_broken_one_is_not() -> None:
    document = codec.record_document(record_named())
    assert codec.record_from(document | {"colour": "blue"}) == record_named()
    for field in ("label", "epoch", "settings", "needs", "mode", "wanted"):
        with pytest.raises(ValueError, match=field):
            codec.record_from({name: value for name, value in document.items() if name != field})


def test_the_environment_is_not_in_any_repr() -> None:
    assert "SECRET" not in repr(codec.record_view(record_named(settings={"env": {"A": "SECRET"}})))
