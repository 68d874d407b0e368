"""The OpenAPI 3.1 document, made from the table of routes and the views."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any

from pydantic.json_schema import models_json_schema

from supervisor import __version__
from supervisor.control.parameters import Parameter
from supervisor.control.problems import PROBLEM_TYPE, ErrorView
from supervisor.control.route import Content, Route
from supervisor.spec.events import View
from supervisor.spec.schema import task_schema

REF = "#/components/schemas/"
SETTINGS = "Task"  # the name of a task's settings among the schemas
DESCRIPTION = (
    "Tasks of one host. Over the Unix socket no token is needed: who may open it may do everything. Over TLS every "
    "request carries one. What is tagged `peers`, and fetching a bundle, is for the other hosts of a cluster alone: "
    "over TLS with the cluster's key, without a token."
)


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """The document that describes `routes`."""
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "isolated", "version": __version__, "description": DESCRIPTION},
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": _schemas(routes),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "responses": {"Error": _answer("why not", {PROBLEM_TYPE: {"schema": _ref(ErrorView.__name__)}})},
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    answers = {
        str(status): _answer(answer.meaning, _contents(answer.contents)) for status, answer in route.answers.items()
    }
    refusals = {str(status): _refusal(status) for status in sorted({400, 401, *route.refusals})}
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": [route.group],
        "responses": answers | refusals | {"default": {"$ref": "#/components/responses/Error"}},
    }
    if route.parameters:
        operation["parameters"] = [_parameter(parameter) for parameter in route.parameters]
    if route.body is not None:
        operation["requestBody"] = {"required": route.body_required, "content": _contents([route.body])}
    return operation


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema = dict(parameter.kind.schema)
    if parameter.default is not None:
        schema["default"] = parameter.default
    return {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.where == "path",
        "description": parameter.meaning,
        "schema": schema,
    }


def _answer(meaning: str, contents: dict[str, Any]) -> dict[str, Any]:
    return {"description": meaning} | ({"content": contents} if contents else {})


def _refusal(status: int) -> dict[str, Any]:
    return _answer(HTTPStatus(status).phrase, {PROBLEM_TYPE: {"schema": _ref(ErrorView.__name__)}})


def _contents(contents: Iterable[Content]) -> dict[str, Any]:
    return {content.media: _media(content) for content in contents}


def _media(content: Content) -> dict[str, Any]:
    """The schema of a body; of a stream it is that of one item, which OpenAPI 3.1 cannot say, so only in words."""
    match content.shape:
        case "settings":
            return {"schema": _ref(SETTINGS)}
        case "object":
            return {"schema": {"type": "object"}}
        case "binary":
            return {}  # in 3.1, a body without a schema is any bytes
        case "text":
            return {"schema": {"type": "string"}}
    assert content.view is not None
    name = content.view.__name__
    if content.shape == "list":
        return {"schema": {"type": "array", "items": _ref(name)}}
    if content.media != "application/json":
        return {"schema": {"type": "string", "description": f"many {name}s, see {REF}{name}"}}
    return {"schema": _ref(name)}


def _ref(name: str) -> dict[str, str]:
    return {"$ref": REF + name}


def _schemas(routes: Sequence[Route]) -> dict[str, Any]:
    """All views by name, and a task's settings."""
    _, views = models_json_schema(
        [(view, "serialization") for view in _views(routes)], by_alias=True, ref_template=REF + "{model}"
    )
    task = _moved(task_schema())
    task.pop("$schema")
    parts = task.pop("$defs")
    return dict(sorted({**views["$defs"], **parts, SETTINGS: task}.items()))


def _views(routes: Sequence[Route]) -> list[type[View]]:
    contents = [content for route in routes for answer in route.answers.values() for content in answer.contents]
    contents += [route.body for route in routes if route.body is not None]
    found = {content.view: None for content in contents if content.view is not None}
    return [*found, ErrorView]


def _moved(schema: Any) -> Any:
    """The same with references to where the document has its schemas."""
    if isinstance(schema, list):
        return [_moved(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: value.replace("#/$defs/", REF) if key == "$ref" and isinstance(value, str) else _moved(value)
        for key, value in schema.items()
    }
