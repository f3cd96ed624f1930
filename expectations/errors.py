"""Errors of the gate."""

from warehouse.errors import WarehouseError


class CatalogueError(WarehouseError):
    """A declaration of a check is wrong; the message names file and line."""


class AuditError(WarehouseError):
    """The gate could not finish its work, so the candidate has no verdict and cannot be published."""
