"""Between the cluster's values and what goes over the wire, and onto the disk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
from supervisor.spec.peer_views import (
    CapacityView,
    ClaimRequest,
    LeasedView,
    LeaseRequest,
    NeedsView,
    OutcomeView,
    OwnedView,
    RecordRequest,
    RecordView,
    VersionView,
    WithheldView,
    WordView,
)

type Outcome = Admitted | Booted | Revised | Full | Refused


def record_document(record: Record) -> dict[str, Any]:
    """A record as an object of JSON; what the store keeps, too."""
    return record_view(record).model_dump(by_alias=True)


def record_from(document: Mapping[str, Any]) -> Record:
    """The record that an object of JSON is. ValueError: it is none."""
    return record_of(RecordView.model_validate(document, by_alias=True, by_name=False))


def record_view(record: Record) -> RecordView:
    """A record for the wire."""
    return RecordView(**_fields(record))


def record_request(record: Record, caller: str) -> RecordRequest:
    """A record for the wire, and who sends it; '': nobody who has a name."""
    return RecordRequest(**_fields(record), caller=caller or None)


def record_of(view: RecordView) -> Record:
    """A record from the wire."""
    needs = view.needs
    return Record(
        label=view.label,
        epoch=view.epoch,
        revision=view.revision,
        owner=view.owner,
        settings=view.settings,
        bundle=view.bundle,
        wanted=view.wanted,
        needs=Needs(needs.memory, needs.isolates, needs.cores, needs.hosts),
        mode=Mode(view.mode),
        guardians=view.guardians,
        previous=view.previous,
        removed=view.removed,
        void=view.void,
    )


def outcome_view(outcome: Outcome) -> OutcomeView:
    """What became of a record, for the wire."""
    match outcome:
        case Admitted():
            return OutcomeView(outcome="admitted")
        case Booted():
            return OutcomeView(outcome="booted")
        case Revised():
            return OutcomeView(outcome="revised", record=record_view(outcome.record))
        case Full():
            free = outcome.free
            cores = tuple(sorted(free.cores))
            return OutcomeView(
                outcome="full", free=CapacityView(memory=free.memory, isolates=free.isolates, cores=cores)
            )
        case Refused():
            return OutcomeView(outcome="refused", problem=outcome.problem, cause=outcome.cause.value)


def outcome_of(view: OutcomeView) -> Outcome:
    """What became of a record. ValueError: the view lacks what belongs to its outcome."""
    match view:
        case OutcomeView(outcome="admitted"):
            return Admitted()
        case OutcomeView(outcome="booted"):
            return Booted()
        case OutcomeView(outcome="revised", record=RecordView() as record):
            return Revised(record_of(record))
        case OutcomeView(outcome="full", free=CapacityView() as free):
            return Full(Capacity(free.memory, free.isolates, frozenset(free.cores)))
        case OutcomeView(outcome="refused", problem=str(problem)):
            return Refused(problem, Cause(view.cause))
    raise ValueError(f"an outcome that is {view.outcome} and does not say what belongs to it")


def claim_request(claim: Claim) -> ClaimRequest:
    """A claim for the wire."""
    basis = None if claim.basis is None else _version_view(claim.basis)
    return ClaimRequest(label=claim.label, epoch=claim.epoch, claimant=claim.claimant, basis=basis)


def claim_of(request: ClaimRequest) -> Claim:
    """A claim from the wire."""
    basis = None if request.basis is None else _version(request.basis)
    return Claim(request.label, request.epoch, request.claimant, basis)


def word_view(withheld: Withheld | None) -> WordView:
    """A guardian's word for the wire; None: it does as it is asked."""
    if withheld is None:
        return WordView(withheld=None)
    newer = None if withheld.newer is None else record_view(withheld.newer)
    return WordView(withheld=WithheldView(newer=newer, epoch=withheld.epoch))


def word_of(view: WordView) -> Withheld | None:
    """A guardian's word from the wire."""
    if view.withheld is None:
        return None
    newer = None if view.withheld.newer is None else record_of(view.withheld.newer)
    return Withheld(newer, view.withheld.epoch)


def lease_request(owner: str, held: Mapping[str, Version]) -> LeaseRequest:
    """What a host holds, for the wire."""
    return LeaseRequest(owner=owner, held=_version_views(held))


def held_of(request: LeaseRequest) -> dict[str, Version]:
    """What a host holds."""
    return _versions(request.held)


def leased_view(leased: Leased) -> LeasedView:
    """A guardian's word for the wire."""
    return LeasedView(renewed=tuple(sorted(leased.renewed)), superseded=dict(leased.superseded))


def leased_of(view: LeasedView) -> Leased:
    """A guardian's word from the wire."""
    return Leased(frozenset(view.renewed), view.superseded)


def owned_view(tasks: Mapping[str, Version]) -> OwnedView:
    """What a host owns, for the wire."""
    return OwnedView(tasks=_version_views(tasks))


def owned_of(view: OwnedView) -> dict[str, Version]:
    """What a host owns."""
    return _versions(view.tasks)


def _fields(record: Record) -> dict[str, Any]:
    needs = record.needs
    return {
        "label": record.label,
        "epoch": record.epoch,
        "revision": record.revision,
        "owner": record.owner,
        "settings": dict(record.settings),
        "bundle": record.bundle,
        "wanted": record.wanted,
        "needs": NeedsView(memory=needs.memory, isolates=needs.isolates, cores=needs.cores, hosts=needs.hosts),
        "mode": record.mode.value,
        "guardians": record.guardians,
        "previous": record.previous,
        "removed": record.removed,
        "void": record.void,
    }


def _version_views(versions: Mapping[str, Version]) -> dict[str, VersionView]:
    return {label: _version_view(version) for label, version in versions.items()}


def _versions(views: Mapping[str, VersionView]) -> dict[str, Version]:
    return {label: _version(view) for label, view in views.items()}


def _version_view(version: Version) -> VersionView:
    return VersionView(epoch=version.epoch, revision=version.revision)


def _version(view: VersionView) -> Version:
    return Version(view.epoch, view.revision)
