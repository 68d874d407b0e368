"""What an event of the cluster says."""

from __future__ import annotations

from supervisor.host.cluster.cluster import in_words


def test_an_event_says_what_happened_where_and_why() -> None:
    told = {"on": "h1", "epoch": "3", "past": "h3: it does not answer"}
    assert in_words("placed", told) == "cluster: placed: on h1, epoch 3, past h3: it does not answer"
    assert in_words("leaves", {}) == "cluster: leaves"
