"""The text that Prometheus reads (format 0.0.4): families of samples, and how names and values are written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from supervisor.spec.histogram import Histogram

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

type Labels = Mapping[str, str]
type Sample = tuple[str, Labels, float]  # what the family's name goes on with (mostly nothing), labels, value

_NONE: Labels = {}


@dataclass(frozen=True, slots=True)
class Family:
    """Samples of one name. Labels' names are ours, their values are anybody's."""

    name: str
    kind: Literal["counter", "gauge", "histogram", "summary"]
    help: str
    samples: Iterable[Sample]

    def lines(self) -> Iterator[str]:
        """Its text, line by line with line feeds; nothing at all without samples."""
        said = False
        for suffix, labels, value in self.samples:
            if not said:
                said = True
                yield f"# HELP {self.name} {_escaped(self.help)}\n# TYPE {self.name} {self.kind}\n"
            yield f"{self.name}{suffix}{_labels(labels)} {_number(value)}\n"


def one(value: float, **labels: str) -> list[Sample]:
    """A single sample."""
    return [("", labels, value)]


def by(label: str, values: Mapping[str, float]) -> list[Sample]:
    """A sample for each value of a label."""
    return [("", {label: name}, value) for name, value in values.items()]


def histogram(measured: Histogram, labels: Labels = _NONE) -> Iterator[Sample]:
    """The samples of a histogram, in seconds."""
    total = measured.total
    for bound, count in measured.up_to():
        yield "_bucket", {**labels, "le": _number(bound)}, count
    yield "_bucket", {**labels, "le": "+Inf"}, total
    yield "_sum", labels, measured.sum
    yield "_count", labels, total


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_quoted(value)}"' for name, value in labels.items()) + "}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _quoted(text: str) -> str:
    return _escaped(text).replace('"', '\\"')


def _number(value: float) -> str:
    """Whole numbers in full, as readers of a text want them; all others in the shortest form that is exact."""
    return str(int(value)) if value == value // 1 and abs(value) < 2**63 else repr(float(value))
