"""Errors of the intake, each with what a person can do about it."""

from typing import Any

from ingestion.findings import Finding
from ingestion.masking import masked
from warehouse.errors import WarehouseError


class FormError(WarehouseError):
    """A form definition is wrong; the message names file and line."""


class ExpressionError(WarehouseError):
    """A rule's expression cannot be understood."""


class FileError(WarehouseError):
    """A whole file cannot be taken in; carries the finding for its sender."""

    rule_id = "FILE"

    def __init__(self, message: str, *, message_zh: str, mend: str | None = None, **context: Any) -> None:
        # The names of members of an archive are quoted, and may name persons.
        super().__init__(masked(message), mend=mend, **context)
        self.message_zh = masked(message_zh)

    @property
    def findings(self) -> list[Finding]:
        """The error as a finding on the file."""
        return [
            Finding(
                rule_id=self.rule_id,
                level="file",
                severity="hard",
                message_zh=self.message_zh,
                message_en=str(self),
            )
        ]


class UnreadableFile(FileError):
    """The bytes are no table: neither delimited text nor a workbook, or damaged."""

    rule_id = "FILE_UNREADABLE"


class FileTooLarge(UnreadableFile):
    """Reading the file would cost more than the limits of the settings allow."""

    rule_id = "FILE_TOO_LARGE"


class FileTooCostly(UnreadableFile):
    """Reading the file took more time or memory than a file may, and was stopped."""

    rule_id = "FILE_TOO_COSTLY"


class UnrecognisedFile(FileError):
    """The file is a table, but of no form that is known here."""

    rule_id = "FILE_UNRECOGNISED"
