"""The routes that only hosts of the same cluster can ask for; all the others they can, too.

All that change something are PUT: to ask twice does what asking once does, so that a caller whose connection breaks
may ask again.
"""

from __future__ import annotations

from supervisor.control import peers
from supervisor.control.api import Access
from supervisor.control.parameters import DIGEST, LABEL, Parameter
from supervisor.control.route import Answer, Content, Route, view
from supervisor.spec.peer_views import (
    BootRequest,
    ClaimRequest,
    FoundView,
    GrantedView,
    GrantRequest,
    LeasedView,
    LeaseRequest,
    OutcomeView,
    OwnedView,
    RecordRequest,
    RetireRequest,
    WordView,
)

PEERS_ALONE = frozenset({Access.PEER})
OUTCOME = {200: view(OutcomeView, "what became of it")}
RECORD = Content(view=RecordRequest)
BODY = (413, 415, 503)  # what a body is refused for, and a host that starts or drains
STORED = (*BODY, 507)

PEER_ROUTES: tuple[Route, ...] = (
    Route(
        "PUT", "/v1/peer/admit", "admitTask", "Reserves room for a task for a few seconds", peers.admit,
        OUTCOME, "peers", body=RECORD, refusals=BODY, access=PEERS_ALONE,
    ),
    Route(
        "PUT", "/v1/peer/boot", "bootTask", "Boots a task that was admitted", peers.boot,
        OUTCOME, "peers", body=Content(view=BootRequest), refusals=STORED, access=PEERS_ALONE,
    ),
    Route(
        "PUT", "/v1/peer/guard", "guardTask", "Keeps a task's record for the case that its host fails", peers.guard,
        {200: view(WordView, "whether it is kept")}, "peers", body=RECORD, refusals=STORED,
        access=PEERS_ALONE,
    ),
    Route(
        "PUT", "/v1/peer/claim", "claimTask", "Asks for the right to place a task anew", peers.claim,
        {200: view(WordView, "whether it is promised")}, "peers", body=Content(view=ClaimRequest), refusals=STORED,
        access=PEERS_ALONE,
    ),
    Route(
        "PUT", "/v1/peer/lease", "leaseTasks", "Asks whether tasks may go on where they are", peers.lease,
        {200: view(LeasedView, "what the guardian says")}, "peers", body=Content(view=LeaseRequest), refusals=BODY,
        access=PEERS_ALONE,
    ),
    Route(
        "PUT", "/v1/peer/retire", "retireTask", "Stops a copy of a task that is older than another", peers.retire,
        {204: Answer("there is no older one any more")}, "peers", body=Content(view=RetireRequest), refusals=STORED,
        access=PEERS_ALONE,
    ),
    Route(
        "PUT", "/v1/peer/grant", "grantLeave", "Asks whether a host may go home", peers.grant,
        {200: view(GrantedView, "whether it may")}, "peers", body=Content(view=GrantRequest), refusals=BODY,
        access=PEERS_ALONE,
    ),
    Route(
        "PUT", "/v1/peer/revise", "reviseTask", "Changes, stops or removes a task of this host", peers.revise,
        OUTCOME, "peers", body=RECORD, refusals=STORED, access=PEERS_ALONE,
    ),
    Route(
        "GET", "/v1/peer/records", "listRecords", "The tasks that this host owns, and how old their records are",
        peers.owned, {200: view(OwnedView, "the tasks")}, "peers", refusals=(503,), access=PEERS_ALONE,
    ),
    Route(
        "GET", "/v1/peer/records/{label}", "findRecord", "The newest record of a task that this host has", peers.find,
        {200: view(FoundView, "null: none")}, "peers", (Parameter("label", "path", LABEL, "the task's id as a text"),),
        refusals=(503,), access=PEERS_ALONE,
    ),
    Route(
        "GET", "/v1/bundles/{digest}", "getBundle", "A bundle: a tar, compressed", peers.get_bundle,
        {200: Answer("the archive", (Content(peers.BUNDLE, shape="binary"),))}, "bundles",
        (Parameter("digest", "path", DIGEST, "SHA-256 of the bundle's tar before compression"),), refusals=(404, 503),
        access=PEERS_ALONE,
    ),
)  # fmt: skip
