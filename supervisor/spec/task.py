"""TaskSpec: what a user wants run."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, PlainSerializer, PlainValidator, ValidationInfo, WithJsonSchema, field_validator

from supervisor.spec.allow import Allow
from supervisor.spec.limits import DURATION, Limits
from supervisor.spec.listen import LISTEN_PATTERN, ListenAddress, parse_listen
from supervisor.spec.model import AS_IT_IS, Milliseconds, Settings
from supervisor.spec.placement import Placement
from supervisor.spec.refused import Refused
from supervisor.spec.texts import (
    ENV_NAME,
    TASK_ID,
    WITHOUT_NUL,
    parse_arg,
    parse_env_name,
    parse_env_value,
    parse_folder,
    parse_main_path,
    parse_task_id,
)
from supervisor.spec.units import EXACT

CORE_MAX = 8191  # the largest machine that Linux is built for (CONFIG_NR_CPUS on x86-64)


def is_core(value: object) -> bool:
    """Whether it can be the number of a core, on some machine."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= CORE_MAX


def _parse_cores(value: object) -> int | tuple[int, ...] | None:
    if value is None:
        return None
    if isinstance(value, int) and is_core(value):
        return value
    if isinstance(value, list | tuple) and value and all(map(is_core, value)):
        cores = sorted(set(value))
        return cores[0] if len(cores) == 1 else tuple(cores)
    raise Refused(
        "not the number of a core",
        allowed="a whole number from 0, a list of them, or null for any core",
        remedy="`lscpu -e` lists the cores; leave `cpu` out to run on any",
    )


def _schema(*kinds: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": list(kinds)} if len(kinds) > 1 else kinds[0])


type TaskId = Annotated[
    int | str,
    PlainValidator(parse_task_id),
    _schema({"type": "integer", "minimum": 0, "maximum": EXACT}, {"type": "string", "pattern": f"^{TASK_ID}$"}),
]
type Folder = Annotated[str, PlainValidator(parse_folder), _schema({"type": "string", "minLength": 1})]
type EnvName = Annotated[str, PlainValidator(parse_env_name), _schema({"type": "string", "pattern": f"^{ENV_NAME}$"})]
type EnvValue = Annotated[
    str, PlainValidator(parse_env_value), _schema({"type": "string", "pattern": f"^{WITHOUT_NUL}$"})
]
type Arg = Annotated[
    str, PlainValidator(parse_arg), _schema({"type": "string", "pattern": f"^{WITHOUT_NUL}$"}, {"type": "number"})
]
type Listen = Annotated[
    ListenAddress,
    PlainValidator(parse_listen),
    PlainSerializer(str),
    _schema({"type": "string", "pattern": LISTEN_PATTERN}),
]
type OnCores = Annotated[
    int | tuple[int, ...] | None,
    PlainValidator(_parse_cores),
    AS_IT_IS,
    _schema(
        {"type": "integer", "minimum": 0},
        {"type": "array", "items": {"type": "integer", "minimum": 0}, "minItems": 1},
        {"type": "null"},
    ),
]


class TaskSpec(Settings):
    """What a user wants run: a program, its world and its limits."""

    task_id: TaskId = Field(description="integer or text, unique in the cluster")
    pwd: Folder = Field(
        description="root of module loading: nothing outside can be read, links included; default: the file's folder"
    )
    main_path: str = Field(description="the main module, inside pwd: an ES module or a classic script")
    env: dict[EnvName, EnvValue] = Field(
        default_factory=dict, description="the `env` argument of fetch handlers and process.env"
    )
    args: tuple[Arg, ...] = Field((), description="process.argv.slice(2); numbers become texts")
    listen: tuple[Listen, ...] = Field((), description="'host:port', '[IPv6]:port', 'unix:/path'; port 0: any free one")
    cpu: OnCores = Field(None, description="the core that the thread is pinned to, or a list of cores; absent: any")
    limits: Limits = Field(default_factory=Limits, description="what the task may use; null in a limit: unlimited")
    allow: Allow = Field(default_factory=Allow, description="ways to make code from data")
    idle: Annotated[Milliseconds | None, DURATION] = Field(
        60_000.0, description="no request, timer or open socket for so long: the isolate ends, the listeners stay"
    )

    placement: Placement = Field(default_factory=Placement, description="where in a cluster it may run")

    @field_validator("main_path", mode="plain", json_schema_input_type=str)
    @classmethod
    def _main_path_inside_pwd(cls, value: object, info: ValidationInfo) -> str:
        # If pwd itself was refused, that is reported; here any folder does.
        return parse_main_path(value, info.data.get("pwd", "/"))

    @field_validator("listen", mode="after")
    @classmethod
    def _each_address_once(cls, listen: tuple[ListenAddress, ...]) -> tuple[ListenAddress, ...]:
        seen: set[ListenAddress] = set()
        for address in listen:
            if address in seen and not address.is_any_port:
                raise Refused(
                    f"{address} is listed twice", allowed="each address once", remedy="take one of the two out"
                )
            seen.add(address)
        return listen

    @property
    def label(self) -> str:
        """The id as a text: how logs and tables name the task, and what makes it unique."""
        return str(self.task_id)

    def document(self) -> dict[str, Any]:
        """The settings as they could stand in a JSON file, every default written out."""
        return self.model_dump(mode="json", by_alias=True)
