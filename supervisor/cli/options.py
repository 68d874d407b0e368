"""What several commands take: which host, as JSON or not, and ids of tasks, which shells complete."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from supervisor.cli.address import DEFAULT_HOST, parse_address
from supervisor.errors import IsolatedError
from supervisor.printable import printable
from supervisor.spec.refused import Refused
from supervisor.spec.texts import parse_task_id

if TYPE_CHECKING:
    from supervisor.cli.client import Client

COMPLETION_S = 1.0  # a person holds the Tab key meanwhile

as_json = click.option("--json", "as_json", is_flag=True, help="What the control API says, for programs.")


def on_host[R](command: Callable[..., R]) -> Callable[..., R]:
    """Gives a command the options that say which host, and the client for it as its first argument."""

    @click.option(
        "--host", envvar="ISOLATED_HOST", default=DEFAULT_HOST, show_default=True, show_envvar=True, metavar="WHERE",
        help="The host: path of a socket, or https://name:port.",
    )  # fmt: skip
    @click.option(
        "--token-file", envvar="ISOLATED_TOKEN_FILE", show_envvar=True, metavar="FILE",
        help="The token for an https host; a file that only you can read.",
    )  # fmt: skip
    @click.option(
        "--ca", envvar="ISOLATED_CA_FILE", show_envvar=True, metavar="FILE",
        help="Certificates to trust at an https host. Default: those of the system.",
    )  # fmt: skip
    @functools.wraps(command)
    def with_client(*args: Any, host: str, token_file: str | None, ca: str | None, **kwargs: Any) -> R:
        return command(_client(host, token_file, ca), *args, **kwargs)

    return with_client


def _client(host: str, token_file: str | None, ca_file: str | None) -> Client:
    from supervisor.cli.client import Client
    from supervisor.cli.transport import Way

    return Client(Way(parse_address(host), token_file, ca_file))


class TaskId(click.ParamType[str]):
    """The id of a task. Shells complete it with those that the host has."""

    name = "task"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The id as it was written."""
        try:
            parse_task_id(value)
        except Refused as refused:
            self.fail(f"{printable(str(value))!r} is {refused.message}; allowed: {refused.allowed}", param, ctx)
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Ids that begin so, each with its task's state; none if the host does not answer."""
        given = ctx.params.get(param.name or "") or ()
        found = _tasks(ctx.params)
        return [
            CompletionItem(name, help=printable(str(task.get("state", ""))))
            for task in found
            if (name := str(task.get("task", ""))).startswith(incomplete) and name not in given and _is_id(name)
        ]


def _tasks(params: Mapping[str, Any]) -> list[dict[str, Any]]:
    try:
        client = _client(params.get("host") or DEFAULT_HOST, params.get("token_file"), params.get("ca"))
        return client.ask("GET", "tasks", timeout_s=COMPLETION_S).objects
    except IsolatedError:
        return []


def _is_id(name: str) -> bool:
    try:
        parse_task_id(name)
    except Refused:
        return False
    return True


TASK = TaskId()
