"""What the agent's words mean for an operator, and what to do. Pure."""

from __future__ import annotations

import re

from supervisor.printable import printable

ID_TAKEN = "another host of the cluster has this host's id"
SHOWN = 300  # characters of words that are not known
# What the agent says (a piece of it), what that means, what to do.
_MEANINGS = (
    (
        re.compile(r"(?:TCP|UDP) listener.* port (?P<what>\d+).*address already in use", re.DOTALL),
        "port {what} of the cluster address is in use",
        "end the program that has it (`ss -lntup` shows it), or choose another port in `gossipListen`",
    ),
    (
        re.compile(r"cannot assign requested address"),
        "this machine does not have the cluster address",
        "`ip address` lists what it has; set `gossipListen` to one of them",
    ),
    (
        re.compile(
            r"(?:Failed to join (?P<what>\S+): )?(?:No installed keys could decrypt|.*encrypted and encryption)"
        ),
        "{what} has another cluster key",
        "give all hosts the same `clusterKeyFile`; to change keys, add the new one as a second line everywhere first",
    ),
    (
        re.compile(r"No private IP address found"),
        "this machine has no private address by which others could hear it",
        "set `gossipAdvertise` to the address at which they reach it",
    ),
    (
        re.compile(r"minority in name conflict"),
        ID_TAKEN,
        "give this host another `hostId`",
    ),
    (
        re.compile(r"Failed to resolve (?P<what>\S+): "),
        "the name of {what} cannot be resolved",
        "check `clusterJoin` and this machine's name servers",
    ),
    (
        re.compile(r"Failed to join (?P<what>\S+): .*connection refused"),
        "nobody answers at {what}",
        "check `clusterJoin`, and whether that host's agent runs; it is tried again until somebody answers",
    ),
    (
        re.compile(r"Failed to join (?P<what>\S+): .*(?:timeout|no route to host|unreachable)"),
        "{what} cannot be reached",
        "check `clusterJoin`, and that TCP and UDP of that port get through; it is tried again until they do",
    ),
)


def explain(words: str) -> tuple[str, str | None]:
    """A message, and a remedy if there is one."""
    for pattern, message, remedy in _MEANINGS:
        found = pattern.search(words)
        if found is not None:
            what = found.groupdict().get("what") or "a host"
            return message.format(what=printable(what)), remedy
    return printable(" ".join(words.split()))[:SHOWN] or "the agent gave no reason", None
