"""The commands of Serf's RPC (version 1), and when an answer has a body: nothing in its bytes says so. Pure.

As the agent's `ipc.go` has it: an answer is a header `{Seq, Error}`; for some commands one more object follows.
"""

from __future__ import annotations

from enum import Enum, StrEnum

VERSION = 1  # of the RPC
NS = 1_000_000_000  # times are nanoseconds


class Body(Enum):
    """What follows a header."""

    NEVER = "nothing"
    ALWAYS = "a body, with errors too"
    MAYBE = "a body in newer agents, nothing in older ones: nobody reads it"
    LATER = "nothing the first time, then records: a header and a body each"


class Command(StrEnum):
    """What may be asked."""

    HANDSHAKE = "handshake"
    AUTH = "auth"
    MEMBERS = "members"
    MEMBERS_FILTERED = "members-filtered"
    JOIN = "join"
    LEAVE = "leave"
    FORCE_LEAVE = "force-leave"
    EVENT = "event"
    TAGS = "tags"
    INSTALL_KEY = "install-key"
    USE_KEY = "use-key"
    REMOVE_KEY = "remove-key"
    LIST_KEYS = "list-keys"
    STATS = "stats"
    STREAM = "stream"
    QUERY = "query"
    RESPOND = "respond"
    STOP = "stop"

    @property
    def body(self) -> Body:
        """What follows the headers of its answers."""
        if self in (Command.STREAM, Command.QUERY):
            return Body.LATER
        if self is Command.FORCE_LEAVE:
            return Body.MAYBE
        return Body.NEVER if self in _BODILESS else Body.ALWAYS


_BODILESS = frozenset(
    (Command.HANDSHAKE, Command.AUTH, Command.LEAVE, Command.EVENT, Command.TAGS, Command.RESPOND, Command.STOP)
)  # fmt: skip

# These come before the agent looks at what is asked, and so without the body that the command would have.
UNHEARD = frozenset(("Handshake required", "Authentication required", "Unsupported command"))
