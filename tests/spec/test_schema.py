"""The JSON schema that editors use says what the parser does."""

import re
from pathlib import Path
from typing import Any

from supervisor.spec.names import known_fields
from supervisor.spec.schema import COMMITTED, schema_text, task_schema
from supervisor.spec.task import TaskSpec


def test_the_committed_file_is_what_the_model_says() -> None:
    assert COMMITTED.read_text() == schema_text(), f"write it anew: isolated schema > {Path(COMMITTED).name}"


def resolved(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in part:
        part = schema["$defs"][part["$ref"].rpartition("/")[2]] | {k: v for k, v in part.items() if k != "$ref"}
    return part


def test_every_field_is_described_and_nothing_else_is_allowed() -> None:
    schema = task_schema()
    for path in known_fields(TaskSpec):
        part = schema
        for name in path:
            assert part["additionalProperties"] is False
            described = part["properties"][name]
            assert described["description"], path
            part = resolved(schema, described)
    assert schema["required"] == ["taskId", "mainPath"]
    assert "$schema" in schema["properties"]


def test_defaults_of_the_schema_are_those_of_the_model() -> None:
    schema = task_schema()
    limits = resolved(schema, schema["properties"]["limits"])
    document = TaskSpec(task_id=1, main_path="a.js", pwd="/").document()
    for group, values in document["limits"].items():
        described = resolved(schema, limits["properties"][group])["properties"]
        assert {name: field["default"] for name, field in described.items()} == values


def test_patterns_are_valid_where_letters_have_one_case_only() -> None:
    """JSON Schema's patterns have no flags: `mib` and `MiB` must both be spelled out."""
    schema = task_schema()
    heap = resolved(schema, schema["$defs"]["MemoryLimits"]["properties"]["heap"])
    (pattern,) = (kind["pattern"] for kind in heap["anyOf"] if "pattern" in kind)
    for text in ("64MiB", "64mib", "1.5 GB"):
        assert re.search(pattern, text)
    for text in ("64", "64ms", "MiB"):
        assert not re.search(pattern, text)
