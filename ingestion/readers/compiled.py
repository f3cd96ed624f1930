"""Calling the compiled readers of workbooks: what they may raise becomes what a person can act on."""

from collections.abc import Callable
from typing import TypeVar

import fastexcel
from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError
from python_calamine import CalamineError, PasswordError

from ingestion.errors import UnreadableFile
from ingestion.readers.refusals import damaged, declares_entities, protected, too_large

T = TypeVar("T")

_DAMAGE: tuple[type[Exception], ...] = (
    CalamineError,
    fastexcel.FastExcelError,
    ParseError,
    EOFError,
    LookupError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)


def is_panic(error: BaseException) -> bool:
    """Whether compiled code broke off: such an error is no Exception, so nothing else would catch it."""
    return type(error).__name__ == "PanicException"


def guarded(name: str, kind: tuple[str, str], read: Callable[[], T], *also: type[Exception]) -> T:
    """Read; raises :class:`UnreadableFile` for whatever the bytes may be guilty of.

    ``also``: errors of the library that is called.
    """
    try:
        return read()
    except UnreadableFile:
        raise
    except PasswordError as error:
        raise protected(name) from error
    except DefusedXmlException as error:
        raise declares_entities(name) from error
    except MemoryError as error:
        raise too_large(
            name,
            "太大，内存不足，无法读取",
            "is too large for the memory at hand",
            "请拆成几个文件后报送",
            "Split it into several files",
        ) from error
    except (*_DAMAGE, *also) as error:
        raise damaged(name, *kind, type(error).__name__) from error
    except BaseException as error:
        if is_panic(error):
            raise damaged(name, *kind, "its structure") from error
        raise
