"""Every example runs as it is, all in one process, and answers what its README says it does."""

from __future__ import annotations

import json
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.spec.files import load_task_file, load_task_files
from tests.docs.curl import curl
from tests.docs.running import CHECKOUT, Running, running

EXAMPLES = CHECKOUT / "examples"
FILES = sorted(EXAMPLES.glob("*/task.*"))


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(FILES, tmp_path_factory.mktemp("examples")) as tasks:
        yield tasks


def test_they_can_all_run_at_once_and_show_every_format() -> None:
    specs = load_task_files(FILES)
    assert [spec.label for spec in specs] == [file.parent.name for file in FILES]
    assert {file.suffix for file in FILES} == {".json5", ".json", ".toml"}


def test_hello(examples: Running) -> None:
    (address,) = examples.addresses["hello"]
    assert curl(address, "/").text == "Hello from an isolate\n"


def test_router(examples: Running) -> None:
    (address,) = examples.addresses["router"]
    assert json.loads(curl(address, "/books/2").body) == {"id": "2", "title": "A Philosophy of Software Design"}
    added = curl(address, "/books", b'{"title": "Own"}')
    assert (added.status, json.loads(added.body)) == (201, {"id": "3", "title": "Own"})
    assert len(json.loads(curl(address, "/books").body)) == 3
    assert [curl(address, "/books", body).status for body in (b"{}", b"nope")] == [400, 400]
    counted = curl(address, "/count/3")
    assert (counted.text, counted.fields["Transfer-Encoding"]) == ("1\n2\n3\n", "chunked")
    nothing = curl(address, "/nothing")
    assert nothing.status == 404
    assert len(nothing.fields["x-request-id"]) == 36


def test_wasm(examples: Running) -> None:
    (address,) = examples.addresses["wasm"]
    assert json.loads(curl(address, "/add?n=2&n=40").body) == {"add": 42}
    assert json.loads(curl(address, "/sum?n=1&n=2&n=3&n=-10").body) == {"sum": -4}
    assert curl(address, "/add?n=x").status == 400


def test_ports(examples: Running) -> None:
    addresses = examples.addresses["ports"]
    assert [address.rpartition(":")[0] for address in addresses] == ["127.0.0.1", "[::1]", "127.0.0.1", "unix"]
    for address in addresses:
        host = "task" if address.startswith("unix:") else address
        assert curl(address, "/").text == f"Hello, world, at {host}\n" * 3
    assert json.loads(curl(addresses[0], "/env").body) == {"NAME": "world"}


def test_a_task_that_quits_is_booted_again_by_the_next_request(examples: Running) -> None:
    address = examples.addresses["ports"][0]
    quitting = curl(address, "/quit")
    assert (quitting.status, json.loads(quitting.body)["reason"]) == (503, "exited")
    assert curl(address, "/").status == 200


def test_stream(examples: Running) -> None:
    (address,) = examples.addresses["stream"]
    more_than_its_memory = bytes(range(256)) * 4 * 20_000  # 20 MB through limits.mem.external of 8 MiB
    assert json.loads(curl(address, "/count", more_than_its_memory).body) == {"bytes": len(more_than_its_memory)}
    streamed = more_than_its_memory[:300_000]  # what the sockets hold of it, for this client reads only after it wrote
    assert curl(address, "/echo", streamed).body == streamed
    assert curl(address, "/upper", "straße".encode()).text == "STRASSE"
    assert curl(address, "/clock").text.count("data: ") == 5


def test_the_module_of_wasm_is_what_its_script_makes() -> None:
    folder = EXAMPLES / "wasm"
    assert runpy.run_path(str(folder / "make_wasm.py"))["MODULE"] == (folder / "add.wasm").read_bytes()


def test_the_bundle_of_router_is_of_its_source_and_carries_the_licence() -> None:
    folder = EXAMPLES / "router"
    bundle = (folder / "app.bundle.mjs").read_text()
    for path in ("/books/:id", "/count/:to{[0-9]+}", "title: a text is needed"):
        assert path in bundle
        assert path in (folder / "app.js").read_text()
    assert "MIT License" in (folder / "LICENSE.hono").read_text()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_its_address_stands_in_the_readme(file: Path) -> None:
    (row,) = [line for line in (EXAMPLES / "README.md").read_text().splitlines() if f"| `{file.parent.name}` |" in line]
    for address in load_task_file(file).listen:
        assert address.is_any_port or str(address) in row
