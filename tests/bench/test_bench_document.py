"""The JSON file."""

import json
from pathlib import Path

import pytest

from tools.benchmarks import machine
from tools.benchmarks.document import as_document, write
from tools.benchmarks.results import Failure, Outcome, Participant, Sample

OUTCOME = Outcome(
    benchmark="http",
    participants=[Participant("workerd", "1.0"), Participant("deno", absent="no network")],
    samples=[Sample("hello", "workerd", 0, {"p50_ms": 2.0}), Sample("hello", "workerd", 1, {"p50_ms": 4.0})],
    failures=[Failure("echo 1 KiB", "workerd", "status 500")],
    options={"seconds": 3},
    notes={"workerd": "a note"},
)


def test_the_file_holds_every_sample_and_the_summary(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    write(file, as_document([OUTCOME], {"cores": 2}))
    read = json.loads(file.read_text())
    assert read["format"] == 1
    assert read["machine"] == {"cores": 2}
    (benchmark,) = read["benchmarks"]
    assert benchmark["samples"][1] == {
        "case": "hello",
        "subject": "workerd",
        "round": 1,
        "metrics": {"p50_ms": 4.0},
        "words": {},
    }
    assert benchmark["summary"][0]["median"] == {"p50_ms": 3.0}
    assert benchmark["participants"][1] == {"name": "deno", "version": "", "absent": "no network"}
    assert benchmark["failures"] == [{"case": "echo 1 KiB", "subject": "workerd", "reason": "status 500"}]
    assert (benchmark["options"], benchmark["notes"]) == ({"seconds": 3}, {"workerd": "a note"})


def test_a_figure_that_json_cannot_say_leaves_the_old_file(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    file.write_text("old")
    broken = Outcome("http", [], [Sample("hello", "deno", 0, {"p50_ms": float("nan")})])
    with pytest.raises(ValueError, match="not JSON compliant"):
        write(file, as_document([broken], {}))
    assert file.read_text() == "old"


def test_the_machine_is_described_without_naming_it() -> None:
    description = machine.describe()
    assert json.loads(json.dumps(description)) == description
    assert set(description) == {"cpu", "cores", "memory_bytes", "kernel", "architecture", "load_average", "time"}


def test_cpu_model_is_found_or_unknown() -> None:
    assert machine.cpu_model("processor\t: 0\nmodel name\t: Some CPU @ 2: fast\n") == "Some CPU @ 2: fast"
    assert machine.cpu_model("processor\t: 0\n") == "unknown"
