"""Errors that a person can act on: each says what happened, where, and how to mend it."""

from typing import Any


class WarehouseError(Exception):
    """Base of every error of this project.

    ``context`` holds the facts the message was made of, for ``--json`` output and logs.
    Never put a person-level value in it.
    """

    passing = False
    """True for errors that another try may not meet: Airflow retries these and no others."""

    def __init__(self, message: str, *, mend: str | None = None, **context: Any) -> None:
        self.message = message
        self.mend = mend
        self.context = context
        super().__init__(f"{message} {mend}" if mend else message)

    def __reduce__(self) -> tuple[Any, ...]:
        """An error passes from one process to another with everything it knows."""
        return (_revived, (type(self), self.args, self.__dict__))


def _revived(kind: type[WarehouseError], args: tuple[Any, ...], known: dict[str, Any]) -> WarehouseError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(known)
    return error


class SettingsError(WarehouseError):
    """A setting is missing or contradicts another."""


class ServerError(WarehouseError):
    """The database server cannot be started, stopped or reached."""

    passing = True


class CandidateBusy(WarehouseError):
    """Another process is working on the candidate release at this moment."""

    passing = True


class CandidateLost(WarehouseError):
    """The candidate is no longer this run's: it was taken over, published or rejected."""


class ReleaseUndone(WarehouseError):
    """The newest release was undone and nobody has said yet what becomes of it."""


class ReleaseNotFound(WarehouseError):
    """No such release, or none in the state that the action needs."""


class GateNotPassed(WarehouseError):
    """The candidate has not passed the gate, so it cannot be published."""
