"""What hosts ask each other and answer, as it goes over the wire: shared by the peer door and by who calls it.

Fields that a host does not know it passes over, for its peers may be newer: an image is rolled out host by host.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from supervisor.spec.events import View
from supervisor.spec.texts import TASK_ID
from supervisor.spec.units import EXACT

HOST_ID = r"[a-z0-9-]{1,64}"
DIGEST = r"[0-9a-f]{64}"
LIST_MAX = 1024  # of hosts or cores in one record: above what any cluster or machine of ours has

Label = Annotated[str, Field(pattern=f"^{TASK_ID}$")]
HostId = Annotated[str, Field(pattern=f"^{HOST_ID}$")]
Count = Annotated[int, Field(ge=0, le=EXACT)]
Counted = Annotated[int, Field(ge=1, le=EXACT)]
Hosts = Annotated[tuple[HostId, ...], Field(max_length=LIST_MAX)]
Cores = Annotated[tuple[Count, ...], Field(max_length=LIST_MAX)]


class PeerView(View):
    """A value between hosts."""

    model_config = ConfigDict(extra="ignore")


class VersionView(PeerView):
    """The age of a record."""

    epoch: Count = Field(description="rises with every placement on a host")
    revision: Count = Field(description="rises with every change within an epoch")


class NeedsView(PeerView):
    """What the admission of a task reserves, and where it may run."""

    memory: Count = Field(description="bytes")
    isolates: Count = 1
    cores: Cores | None = Field(default=None, description="cores that are its own; null: any")
    hosts: Hosts | None = Field(default=None, description="ids of the hosts it may run on; null: any")


class CapacityView(PeerView):
    """What a host has left for tasks."""

    memory: int | None = Field(description="bytes; null: not limited")
    isolates: int | None = Field(description="null: not limited")
    cores: Cores = Field(description="that nobody is pinned to")


class RecordView(PeerView):
    """A task as its owner and its guardians keep it."""

    label: Label
    epoch: Count
    revision: Count
    owner: HostId | Literal[""] = Field(description="id of the host that runs it; '': none")
    settings: dict[str, Any] = Field(repr=False, description="as applied; {} in a tombstone")
    bundle: Annotated[str, Field(pattern=f"^{DIGEST}$")] | None
    wanted: bool = Field(description="false: stopped by a user")
    needs: NeedsView
    mode: Literal["bestEffort", "strict"]
    guardians: Hosts = Field(default=(), description="ids, first choice first")
    previous: Hosts = Field(default=(), description="ids of the guardians before, while these change")
    removed: bool = Field(default=False, description="true: a tombstone")
    void: bool = Field(default=False, description="true: a new task that came up nowhere")


class RecordRequest(RecordView):
    """A record, and who sends it."""

    caller: HostId | None = Field(default=None, description="id of the host that asks: the bundle may be had there")


class BootRequest(PeerView):
    """Which admitted task to boot."""

    label: Label
    epoch: Count


class RetireRequest(PeerView):
    """Which task has a newer copy elsewhere."""

    label: Label
    epoch: Count = Field(description="of the newer copy: only an older one is stopped")


class ClaimRequest(PeerView):
    """A host asks a guardian for an epoch of a task."""

    label: Label
    epoch: Counted
    claimant: HostId
    basis: VersionView | None = Field(description="the record that the claimant knows; null: none")


class LeaseRequest(PeerView):
    """What a host holds, and wants to go on holding."""

    owner: HostId
    held: dict[Label, VersionView]


class GrantRequest(PeerView):
    """Who wants to go home."""

    who: HostId


class OutcomeView(PeerView):
    """What became of a record that a host was asked to take."""

    outcome: Literal["admitted", "booted", "revised", "full", "refused"]
    free: CapacityView | None = Field(default=None, description="full: what is left")
    problem: str | None = Field(default=None, description="refused: why, for people")
    cause: Literal["host", "room", "program"] = Field(
        default="host",
        description="refused: 'host' = another one, or the same later, may do it; 'program' = no host would",
    )
    record: RecordView | None = Field(default=None, description="revised: as it is now")


class WithheldView(PeerView):
    """Why a guardian does not do what it is asked."""

    newer: RecordView | None = Field(description="what the guardian knows and the other does not")
    epoch: Count = Field(description="the highest that the guardian knows of; 0: it does not know the task")


class WordView(PeerView):
    """A guardian's word: it keeps the record, or promises the epoch, or withholds that."""

    withheld: WithheldView | None = Field(description="null: it does")


class LeasedView(PeerView):
    """What a guardian says about the tasks that a host holds; those in neither it does not know."""

    renewed: tuple[Label, ...]
    superseded: dict[Label, Count] = Field(description="label: the newer epoch")


class OwnedView(PeerView):
    """The tasks that a host owns."""

    tasks: dict[Label, VersionView]


class FoundView(PeerView):
    """The newest record that a host has of a task."""

    record: RecordView | None


class GrantedView(PeerView):
    """Whether a host may go home, as far as this one is concerned."""

    granted: bool
