"""What a guardian may say: the model checks all orders in which claims and records of two hosts may come."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from supervisor.cluster.promises import LIFETIME, Entry, beats, judge_claim, judge_lease, judge_record
from supervisor.cluster.rules import Rules
from supervisor.cluster.values import Claim, Mode, Promised, Version, Withheld
from supervisor.cluster.view import View
from tests.fakes.cluster import member, record

RULES = Rules()
VIEW = View([member("old", boot_time=1.0), member("new", boot_time=2.0)])


def claim(epoch: int, claimant: str = "x", basis: tuple[int, int] | None = (1, 1)) -> Claim:
    return Claim("task", epoch, claimant, None if basis is None else Version(*basis))


def say(entry: Entry, asked: Claim, now: float = 1000.0) -> Promised | Withheld:
    """As a guardian does: what it promised, it notes."""
    answer = judge_claim(entry, asked, now, 0.0, RULES)
    if isinstance(answer, Promised):
        entry.promised, entry.claimant = asked.epoch, asked.claimant
    return answer


def test_an_epoch_is_promised_to_one_claimant_and_to_that_one_again() -> None:
    entry = Entry("task", record())
    assert say(entry, claim(2)) == Promised()
    assert say(entry, claim(2, "y")) == Withheld(None, 2)
    assert say(entry, claim(2)) == Promised()
    assert say(entry, claim(3, "y")) == Promised()
    assert say(entry, claim(2)) == Withheld(None, 3)


def test_a_claim_on_an_old_record_gets_the_newer_one() -> None:
    newer = record(epoch=1, revision=4)
    assert say(Entry("task", newer), claim(2, basis=(1, 3))) == Withheld(newer, 1)
    assert say(Entry("task", newer), claim(1, basis=None)) == Withheld(newer, 1)


def test_the_first_epoch_of_a_new_task_is_promised_once() -> None:
    entry = Entry("task")
    assert say(entry, claim(1, "x", None)) == Promised()
    assert say(entry, claim(1, "y", None)) == Withheld(None, 1)


def test_after_a_promise_the_owner_changes_nothing_any_more_unless_it_is_the_claimant() -> None:
    entry = Entry("task", record(owner="a"))
    say(entry, claim(2, "x"))
    assert judge_record(entry, record(owner="a", revision=2), VIEW) == Withheld(None, 2)
    entry.claimant = "a"
    assert judge_record(entry, record(owner="a", revision=2), VIEW) is None


def test_an_owners_word_that_it_does_not_have_the_task_wins_within_the_epoch_and_ends_its_lease() -> None:
    had, gave_up = record(owner="new", mode=Mode.STRICT), record(owner="", revision=2, mode=Mode.STRICT)
    assert beats(gave_up, had, VIEW)
    assert not beats(had, gave_up, VIEW)
    assert beats(record(epoch=2, owner="old"), gave_up, VIEW)
    entry = Entry("task", had, leased_until=2000.0, leased_to="new", leased_epoch=1)
    assert say(entry, claim(2, basis=(1, 2))) == Withheld(None, 1)
    assert judge_record(entry, gave_up, VIEW) is None
    entry.record, entry.leased_until = gave_up, 0.0  # as the ledger does
    assert say(entry, claim(2, basis=(1, 2))) == Promised()
    assert judge_lease(entry, "new", Version(1, 1)) is not True


def test_a_lease_holds_though_a_newer_epoch_was_given_up_meanwhile() -> None:
    entry = Entry(
        "task", record(epoch=2, owner="", mode=Mode.STRICT), leased_until=2000.0, leased_to="a", leased_epoch=1
    )
    assert say(entry, claim(3, "x", (2, 1))) == Withheld(None, 2)
    assert say(entry, claim(3, "a", (2, 1))) == Promised()
    assert say(entry, claim(4, "x", (2, 1)), now=2000.0) == Promised()


def test_of_two_records_the_higher_epoch_then_the_newest_host_then_the_revision_wins() -> None:
    assert beats(record(epoch=2, owner="old"), record(epoch=1, owner="new", revision=9), VIEW)
    assert beats(record(owner="new"), record(owner="old", revision=9), VIEW)
    assert beats(record(revision=2), record(revision=1), VIEW)
    assert not beats(record(), record(), VIEW)


def test_a_removal_wins_against_any_epoch_of_its_lifetime_and_none_of_the_next() -> None:
    tombstone = record(epoch=1, revision=7, removed=True)
    assert beats(tombstone, record(epoch=900), VIEW)
    assert not beats(record(epoch=900), tombstone, VIEW)
    assert beats(record(epoch=LIFETIME), tombstone, VIEW)
    entry = Entry("task", tombstone)
    assert say(entry, claim(901, basis=(900, 1))) == Withheld(tombstone, 1)
    assert say(entry, claim(LIFETIME, basis=(1, 7))) == Promised()


def test_a_guardian_keeps_the_winner_and_says_so_to_the_loser() -> None:
    winner, loser = record(owner="new"), record(owner="old")
    assert judge_record(Entry("task", winner), loser, VIEW) == Withheld(winner, 1)
    assert judge_record(Entry("task", loser), winner, VIEW) is None


def test_under_a_lease_only_the_owner_gets_a_newer_epoch() -> None:
    entry = Entry("task", record(owner="a", mode=Mode.STRICT), leased_until=1010.0, leased_to="a")
    assert say(entry, claim(2, "x"), now=1009.0) == Withheld(None, 1)
    assert say(entry, claim(2, "a"), now=1009.0) == Promised()
    other = Entry("task", record(owner="a", mode=Mode.STRICT), leased_until=1010.0, leased_to="a")
    assert say(other, claim(2, "x"), now=1010.0) == Promised()


def test_a_guardian_that_has_just_started_withholds_claims_of_strict_tasks() -> None:
    entry = Entry("task", record(owner="a", mode=Mode.STRICT))
    assert isinstance(judge_claim(entry, claim(2), 500.0 + RULES.lease_s - 0.1, 500.0, RULES), Withheld)
    assert isinstance(judge_claim(entry, claim(2), 500.0 + RULES.lease_s, 500.0, RULES), Promised)


def test_a_lease_is_for_the_record_that_the_guardian_has() -> None:
    entry = Entry("task", record(epoch=3, revision=2, owner="a"))
    assert judge_lease(entry, "a", Version(3, 2)) is True
    assert judge_lease(entry, "a", Version(3, 3)) is None  # it missed a change
    assert judge_lease(entry, "b", Version(3, 2)) is None
    assert judge_lease(entry, "a", Version(2, 9)) == 3
    entry.promised, entry.claimant = 4, "x"
    assert judge_lease(entry, "a", Version(3, 2)) == 4
    entry.claimant = "a"
    assert judge_lease(entry, "a", Version(3, 2)) is True


STEPS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 6), st.sampled_from("xy"), st.booleans()), max_size=30
)  # guardian, epoch, claimant, whether the record follows the promise


@given(STEPS)
def test_no_epoch_is_ever_promised_to_two_claimants_by_most_guardians(
    steps: list[tuple[int, int, str, bool]],
) -> None:
    entries = [Entry("task") for _ in range(3)]
    won: dict[int, dict[str, set[int]]] = {}
    for guardian, epoch, claimant, is_recorded in steps:
        entry = entries[guardian]
        basis = None if entry.record is None else entry.record.version
        if isinstance(say(entry, Claim("task", epoch, claimant, basis)), Promised):
            won.setdefault(epoch, {}).setdefault(claimant, set()).add(guardian)
            placed = record(epoch=epoch, owner=claimant)
            if is_recorded and judge_record(entry, placed, VIEW) is None:
                entry.record = placed
    for claimants in won.values():
        assert sum(len(guardians) >= 2 for guardians in claimants.values()) <= 1
