"""What the control API itself refuses, before the host is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from supervisor.errors import ControlError, Problem


class WrongRequest(ControlError):
    """The request is not one of the API's document; `problems` name what is wrong."""

    status = 400
    kind = "wrong-request"

    def __init__(self, message: str, remedy: str | None = None, *, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message, remedy)
        self.problems = tuple(problems)


class Unauthorized(ControlError):
    """The request has no token, or a wrong one."""

    status = 401
    kind = "unauthorized"


class Forbidden(ControlError):
    """Only who is on the machine may ask for this."""

    status = 403
    kind = "forbidden"


class NoSuchPath(ControlError):
    """The API has no such path."""

    status = 404
    kind = "no-such-path"


class NoSuchMethod(ControlError):
    """The path is there, and does not know the method."""

    status = 405
    kind = "method"

    def __init__(self, allowed: Iterable[str]) -> None:
        self.allowed = ", ".join(sorted(allowed))
        super().__init__("the path does not know this method", f"it knows {self.allowed}")


class TooSlow(ControlError):
    """The rest of the body did not arrive in time."""

    status = 408
    kind = "too-slow"


class TooLarge(ControlError):
    """The body is larger than the API takes."""

    status = 413
    kind = "too-large"


class WrongMediaType(ControlError):
    """The body is of a type or an encoding that the path does not take."""

    status = 415
    kind = "media-type"


class NotReady(ControlError):
    """The host does not serve now: it starts, or drains."""

    status = 503
    kind = "not-ready"


class DiskFull(ControlError):
    """There is no room for what was uploaded."""

    status = 507
    kind = "disk-full"
