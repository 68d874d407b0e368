"""The other hosts' doors, over the network: what the cluster's procedures ask, as requests."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from supervisor.cluster.peers import codec
from supervisor.cluster.peers.wire import Reply, Wire
from supervisor.cluster.ports import Silent
from supervisor.cluster.values import (
    Admitted,
    Booted,
    Claim,
    Full,
    Leased,
    Member,
    Promised,
    Record,
    Refused,
    Revised,
    Version,
    Withheld,
)
from supervisor.spec.events import View
from supervisor.spec.peer_views import (
    BootRequest,
    FoundView,
    GrantedView,
    GrantRequest,
    LeasedView,
    OutcomeView,
    OwnedView,
    RetireRequest,
    WordView,
)

# What a host answers when it has not done what it was asked, and says so. Anything else may be half done.
_NOT_DONE = (503, 507)
_NOTHING = 204


@dataclass(frozen=True, slots=True)
class CallTimes:
    """How long an answer may take, in seconds, connecting included."""

    call: float = 4.0  # a guardian syncs its disk first, on a machine that boots a hundred tasks
    boot: float = 180.0  # a bundle of 64 MiB over 10 Mbit/s is a minute; then its program's own start


@dataclass(slots=True)
class CallCount:
    """How calls of one kind went."""

    answered: int = 0
    silent: int = 0
    seconds: float = 0.0  # how long they took together


class PeerCalls:
    """Peers, over TLS with the cluster's key. Loop thread. All raise Silent."""

    def __init__(self, wire: Wire, times: CallTimes | None = None, *, me: str = "") -> None:
        """`me`: this host's id, by which others ask it for bundles."""
        self._wire = wire
        self._me = me
        self._times = times or CallTimes()
        self.counts: defaultdict[str, CallCount] = defaultdict(CallCount)  # by what was asked

    async def admit(self, to: Member, record: Record) -> Admitted | Full | Refused:
        """Reserves room at `to`."""
        outcome = await self._try(to, "admit", codec.record_request(record, self._me))
        if isinstance(outcome, Admitted | Full | Refused):
            return outcome
        raise _another(to, outcome)

    async def boot(self, to: Member, label: str, epoch: int) -> Booted | Refused:
        """Boots what was admitted at `to`; takes as long as that does."""
        outcome = await self._try(to, "boot", BootRequest(label=label, epoch=epoch), self._times.boot)
        if isinstance(outcome, Booted | Refused):
            return outcome
        raise _another(to, outcome)

    async def revise(self, to: Member, record: Record) -> Revised | Refused:
        """Changes a task at its owner; takes as long as the new one's boot."""
        outcome = await self._try(to, "revise", codec.record_request(record, self._me), self._times.boot)
        if isinstance(outcome, Revised | Refused):
            return outcome
        raise _another(to, outcome)

    async def guard(self, to: Member, record: Record) -> Withheld | None:
        """Gives a record to a guardian."""
        return codec.word_of(await self._put(to, "guard", codec.record_request(record, self._me), WordView))

    async def claim(self, to: Member, claim: Claim) -> Promised | Withheld:
        """Asks a guardian for an epoch."""
        withheld = codec.word_of(await self._put(to, "claim", codec.claim_request(claim), WordView))
        return Promised() if withheld is None else withheld

    async def lease(self, to: Member, owner: str, held: Mapping[str, Version]) -> Leased:
        """Asks a guardian whether `owner` may go on."""
        return codec.leased_of(await self._put(to, "lease", codec.lease_request(owner, held), LeasedView))

    async def retire(self, to: Member, label: str, epoch: int) -> None:
        """Stops an older copy."""
        reply = await self._send(to, "retire", RetireRequest(label=label, epoch=epoch), self._times.call)
        _check(to, reply)
        if reply.status != _NOTHING:
            raise Silent(f"{to.id} answers with something that is not expected: status {reply.status}")

    async def grant(self, to: Member, who: str) -> bool:
        """Asks whether `who` may go home."""
        return (await self._put(to, "grant", GrantRequest(who=who), GrantedView)).granted

    async def records(self, to: Member) -> Mapping[str, Version]:
        """What `to` owns."""
        return codec.owned_of(await self._get(to, "records", "/v1/peer/records", OwnedView))

    async def find(self, to: Member, label: str) -> Record | None:
        """The newest record that `to` has."""
        found = await self._get(to, "find", f"/v1/peer/records/{label}", FoundView)
        return None if found.record is None else codec.record_of(found.record)

    async def _try(self, to: Member, what: str, request: View, within_s: float | None = None) -> codec.Outcome:
        """What became of it: a host that refuses with an error says so by its words."""
        reply = await self._send(to, what, request, within_s or self._times.call)
        if reply.status in _NOT_DONE or 400 <= reply.status < 500:
            return Refused(reply.problem)
        try:
            return codec.outcome_of(_value(to, reply, OutcomeView))
        except ValueError as error:
            raise Silent(f"{to.id} answers with {error}") from error

    async def _put[V: View](self, to: Member, what: str, request: View, answer: type[V]) -> V:
        return _value(to, await self._send(to, what, request, self._times.call), answer)

    async def _get[V: View](self, to: Member, what: str, path: str, answer: type[V]) -> V:
        asking = self._wire.ask(to, "GET", path, within_s=self._times.call)
        return _value(to, await self._counted(what, asking), answer)

    async def _send(self, to: Member, what: str, request: View, within_s: float) -> Reply:
        document = request.model_dump(by_alias=True)
        asking = self._wire.ask(to, "PUT", f"/v1/peer/{what}", document, within_s=within_s)
        return await self._counted(what, asking)

    async def _counted(self, what: str, asking: Awaitable[Reply]) -> Reply:
        count, began = self.counts[what], time.monotonic()
        try:
            reply = await asking
        except Silent:
            count.silent += 1
            raise
        else:
            count.answered += 1
            return reply
        finally:  # a call that its caller gave up took its time as well
            count.seconds += time.monotonic() - began


def _check(to: Member, reply: Reply) -> None:
    if not reply.went_well:
        raise Silent(f"{to.id} refuses: {reply.problem}")


def _value[V: View](to: Member, reply: Reply, answer: type[V]) -> V:
    """The answer's value; whoever answers with something else is as good as silent."""
    _check(to, reply)
    try:
        return answer.model_validate(reply.document(), by_alias=True, by_name=False)
    except ValidationError as error:
        raise Silent(f"{to.id} answers with something that is no {answer.__name__}") from error
    except ValueError as error:
        raise Silent(f"{to.id} answers with something that is not JSON") from error


def _another(to: Member, outcome: codec.Outcome) -> Silent:
    return Silent(f"{to.id} answers another question: {type(outcome).__name__}")
