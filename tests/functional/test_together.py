"""Several clients that change the same tasks at once: whoever comes last, the host is of one mind."""

from __future__ import annotations

import http.client
import json
import random
import socket
import sqlite3
import threading
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.functional.running import PATIENCE_S, handler, write_task
from tests.functional.serving import Serving

LABELS = ("one", "two")
CLIENTS = 4
OPERATIONS = 30  # over all clients, drawn from the seed
ANSWER = handler("return new Response(env.VERSION);")
# What an operation may hear when another client was there first; all else is a defect.
REFUSALS = {"unknown", "refused"}


class Client:
    """Asks over the daemon's socket, each time on a connection of its own."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def ask(self, method: str, target: str, body: Any = None) -> tuple[int, Any]:
        """The status, and what the answer says."""
        with closing(http.client.HTTPConnection("localhost", timeout=PATIENCE_S)) as connection:
            connection.sock = socket.socket(socket.AF_UNIX)
            connection.sock.settimeout(PATIENCE_S)
            connection.sock.connect(str(self._path))
            text = None if body is None else json.dumps(body)
            connection.request(method, target, text, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            data = answer.read()
            return answer.status, json.loads(data) if data else None


def settings(folder: Path, label: str, version: int) -> dict[str, Any]:
    return {
        "taskId": label, "mainPath": "main.mjs", "pwd": str(folder), "listen": ["127.0.0.1:0"],
        "env": {"VERSION": str(version)},
    }  # fmt: skip


def work(client: Client, folder: Path, seed: int, count: int, heard: list[tuple[str, int, Any]]) -> None:
    """One client's share."""
    chance = random.Random(seed)  # reproducible, not secret
    for _ in range(count):
        label, what = chance.choice(LABELS), chance.choice(("apply", "apply", "stop", "start", "remove"))
        if what == "apply":
            answer = client.ask("PUT", f"/v1/tasks/{label}", settings(folder, label, chance.randrange(100)))
        elif what == "remove":
            answer = client.ask("DELETE", f"/v1/tasks/{label}")
        else:
            answer = client.ask("POST", f"/v1/tasks/{label}/{what}")
        heard.append((what, *answer))


def stored(state: Path) -> dict[str, tuple[bool, int]]:
    """What the store has, by label."""
    with closing(sqlite3.connect(f"file:{state / 'state.sqlite'}?mode=ro", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = connection.execute("SELECT label, wanted, revision FROM tasks").fetchall()
    return {label: (bool(wanted), revision) for label, wanted, revision in rows}


def check(host: Serving, client: Client) -> None:
    """The API, the store and the ports say the same."""
    _, tasks = client.ask("GET", "/v1/tasks")
    assert {task["task"]: (task["wanted"], task["revision"]) for task in tasks} == stored(host.folder / "state")
    for task in tasks:
        if task["wanted"]:
            assert host.get(task["task"]).status == 200
            assert len(task["listen"]) == 1
        else:
            assert (task["state"], task["listen"], task["isolate"]) == ("stopped", [], None)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_clients_that_change_the_same_tasks_leave_the_host_of_one_mind(tmp_path: Path, seed: int) -> None:
    folder = write_task(tmp_path / "app", ANSWER).parent
    with Serving(tmp_path / "host", drain="2s") as host:
        client, heard = Client(host.socket), list[tuple[str, int, Any]]()
        shares = [OPERATIONS // CLIENTS + (each < OPERATIONS % CLIENTS) for each in range(CLIENTS)]
        threads = [
            threading.Thread(target=work, args=(client, folder, 100 * seed + number, share, heard))
            for number, share in enumerate(shares)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join(2 * PATIENCE_S)
            assert not each.is_alive(), host.log.text
        assert len(heard) == OPERATIONS, "a client failed"
        wrong = [each for each in heard if each[1] >= 400 and each[2]["kind"] not in REFUSALS]
        assert not wrong, (Counter(each[0] for each in heard), wrong)
        check(host, client)
        host.kill()
        host.begin()
        check(host, client)
        for label in LABELS:
            client.ask("DELETE", f"/v1/tasks/{label}")
        host.wait(lambda: host.status()["limits"]["isolates"]["used"] == 0, "all isolates are gone")
        assert stored(host.folder / "state") == {}
