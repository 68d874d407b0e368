"""What all settings models share, and the annotation for amounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, GetJsonSchemaHandler, PlainSerializer
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, core_schema

from supervisor.spec.refused import Refused
from supervisor.spec.units import UNLIMITED, Quantity

type Milliseconds = float  # kept to whole microseconds
type Bytes = int
type BitsPerSecond = int


def name_in_files(field: str) -> str:
    """How a field is called in files: camelCase, without the unit that Python names carry."""
    return to_camel(field.removesuffix("_ms"))


# Of a tuple that a PlainValidator made, pydantic's own serializer checks the list again, and warns.
AS_IT_IS = PlainSerializer(lambda value: value)


class Settings(BaseModel):
    """An immutable part of the settings: camelCase in files, snake_case in Python, unknown fields refused."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=name_in_files,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
    )


def is_unlimited(value: object) -> bool:
    """Whether `value` lifts a limit: null, or the word, since TOML has no null."""
    return value is None or value == UNLIMITED


@dataclass(frozen=True, slots=True)
class Amount:
    """Annotates a field that takes an amount from `low` to `high`, or None; `why` says where that range comes from."""

    quantity: Quantity
    low: int
    high: int
    why: str

    def parse(self, value: object) -> float | None:
        """The amount in the quantity's plain unit, None for unlimited; raises Refused."""
        if is_unlimited(value):
            return None
        amount = self.quantity.parse(value)
        if not self.low <= amount <= self.high:
            told = self.quantity.tell(float(amount))
            raise Refused(
                "0 would mean nothing here" if amount == 0 else f"{told} is out of range",
                allowed=f"{self.quantity.tell(self.low)} to {self.quantity.tell(self.high)}, or null for unlimited",
                remedy=f"write an amount within that: {self.why}",
            )
        return float(amount) if self.quantity.fraction_digits else int(amount)

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(self.parse)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        number = "number" if self.quantity.fraction_digits else "integer"
        return {
            "anyOf": [
                {"type": "string", "pattern": self.quantity.pattern()},
                {"type": number, "minimum": self.low, "maximum": self.high},
                {"enum": [None, UNLIMITED]},
            ]
        }
