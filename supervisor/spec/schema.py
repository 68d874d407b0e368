"""The JSON schema of task files, for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from supervisor.spec.task import TaskSpec

COMMITTED = Path(__file__).with_name("task.schema.json")  # `isolated schema` prints what must stand there


def task_schema() -> dict[str, Any]:
    """What a task file may hold; stricter checks (paths, addresses, cores) are made when the file is loaded."""
    schema = TaskSpec.model_json_schema(by_alias=True, mode="validation")
    schema["properties"]["$schema"] = {"type": "string", "description": "where this schema is; only editors read it"}
    schema["required"] = ["taskId", "mainPath"]  # pwd has a default in files, which the model cannot know
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_without_titles(schema)}


def schema_text() -> str:
    """The schema as the committed file holds it."""
    return json.dumps(task_schema(), indent=2, ensure_ascii=True) + "\n"


def _without_titles(schema: Any) -> Any:
    """Titles that only repeat field names say nothing to a reader."""
    if isinstance(schema, list):
        return [_without_titles(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _without_titles(item) for key, item in schema.items() if key != "title" or isinstance(item, dict)}
