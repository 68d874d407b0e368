"""The numbers of the cluster's rules: what, unit, and what raising and lowering it costs."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True)
class Rules:
    """Defaults are for 1 to 1,000 hosts on one network. All hosts of a cluster should have the same."""

    # Placement
    tries: int = 8  # hosts asked for one placement; simulated: 2.3 to 2.7 are needed on average
    full_s: float = 3.0  # a host that said "full" is not asked for so long; higher: room is found later
    reservation_s: float = 10.0  # an admission without a boot is forgotten then; must outlast a call and its repetition

    # Guardians and restart
    guardians: int = 3  # hosts that keep a task's record; more: more losses survived, more calls for each change
    grace_s: float = 30.0  # a host has to be failed for so long; lower: tasks return sooner, more false restarts
    left_s: float = 5.0  # the same for a host that said goodbye and still owns tasks
    stagger_s: float = 20.0  # each further guardian waits so much longer than the one before it
    takeover_s: float = 60.0  # a claimant that is alive has so long to place what it claimed
    settle_s: float = 10.0  # new guardians are chosen when nobody came or went for so long; higher: less churn
    settle_most_s: float = 30.0  # or so long after the first who did, if hosts come and go all the time
    restarts: int = 8  # placements that one host runs at a time

    # Strict tasks
    lease_s: float = 20.0  # higher: longer without a copy after a loss; lower: more calls; must be below grace_s
    lease_margin_s: float = 2.0  # the owner stops so much earlier than guardians believe: clocks' rates and its stop

    # Merging
    audit_s: float = 600.0  # how often owners ask guardians, and guardians owners, though nothing seemed to happen
    tombstone_s: float = 86_400.0  # a removed task is remembered for so long: no host may be away for longer
    ask_s: float = 10.0  # a host that comes back waits so long for its guardians before it serves by itself

    # Going home
    goes_home: bool = True  # False: a host only says that it would
    floor: int = 3  # so many hosts are never switched off: the newest
    idle_s: float = 300.0  # a host without work for so long may go
    age_s: float = 600.0  # and not before it has been up for so long
    spread_s: float = 60.0  # the newest waits so much longer than the oldest: the oldest go first, without being told
    share: float = 0.02  # of the hosts may drain at a time, at least one
    headroom: float = 0.05  # of the hosts that stay must have room, at least one
    propagation_s: float = 3.0  # after which everybody knows of a tag that changed; two are waited for
    grant_s: float = 15.0  # a grant is forgotten then; must outlast two propagations, after which all see the drain
    back_off_s: float = 60.0  # after a refused or failed attempt to go home, with jitter
    still_on_s: float = 3_600.0  # who could not be switched off takes part again, and does not go for so long

    # Updates
    canary: float = 0.05  # share of the hosts that take a new image first, at least one
    canary_s: float = 600.0  # how long they have to stand before others follow
    update_again_s: float = 86_400.0  # who started again for an image, and did not get it, goes for it again then

    # Room
    room_low: float = 0.05  # below this share left, a host says that it has no room
    room_high: float = 0.15  # above this share left, it says again that it has

    # Waking
    wake_s: float = 300.0  # a spare that was started has so long to join before it is started again
    wake_most_s: float = 3_600.0  # that time doubles with every failure, up to this
    no_room_s: float = 10.0  # no host has had room for so long

    def paced(self, pace: float) -> Rules:
        """All times multiplied by `pace`: the same rules, lived through faster."""
        return replace(
            self, **{each.name: pace * getattr(self, each.name) for each in fields(self) if each.name.endswith("_s")}
        )
