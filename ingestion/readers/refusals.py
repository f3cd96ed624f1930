"""Why a file, or one member of an archive, cannot be read: what, where and how to mend it, in both languages."""

from typing import Any

from ingestion.errors import FileTooLarge, UnreadableFile


def unreadable(name: str, zh: str, en: str, mend_zh: str, mend: str, **context: Any) -> UnreadableFile:
    """A file whose bytes are no table; the texts are sentences without their full stop."""
    return UnreadableFile(
        f"{name} {en}.", message_zh=f"文件“{name}”{zh}；{mend_zh}。", mend=f"{mend}.", file=name, **context
    )


def too_large(name: str, zh: str, en: str, mend_zh: str, mend: str, **context: Any) -> FileTooLarge:
    """A file that would cost more than the limits of the settings allow."""
    return FileTooLarge(
        f"{name} {en}.", message_zh=f"文件“{name}”{zh}；{mend_zh}。", mend=f"{mend}.", file=name, **context
    )


def damaged(name: str, kind_zh: str, kind_en: str, reason: object = "") -> UnreadableFile:
    """A file of a known kind that is broken; ``reason`` must not quote its cells."""
    return unreadable(
        name,
        f"是{kind_zh}，但已损坏或不完整，无法读取",
        f"is {kind_en}, but damaged or cut off{f' ({reason})' if reason else ''}",
        "请重新导出，用原软件打开确认无误后再报送",
        "Export it again, open it to see that it is whole, and send that",
    )


def protected(name: str) -> UnreadableFile:
    """A file that opens with a password only."""
    return unreadable(
        name,
        "有打开密码或已加密，无法读取",
        "is protected by a password or encrypted",
        "请取消密码后重新报送",
        "Send it without a password",
    )


def declares_entities(name: str) -> UnreadableFile:
    """XML with a document type: the way of bombs and of reading other files of this machine."""
    return unreadable(
        name,
        "含有文档类型定义（DTD）或实体声明，存在安全风险，未读取",
        "declares a document type or entities, which is not safe to read",
        "请另存为 .xlsx 或 CSV 后报送",
        "Save it as .xlsx or CSV",
    )


def overdue(name: str, seconds: float) -> FileTooLarge:
    """A file that takes too long."""
    return too_large(
        name,
        f"在{seconds:g}秒内没有读完",
        f"could not be read within {seconds:g} seconds",
        "请删除多余的内容，或拆成几个文件后报送",
        "Remove what is surplus or split it into several files",
    )


def too_many(name: str, what_zh: str, what_en: str, limit: int) -> FileTooLarge:
    """More of something than the limits allow."""
    return too_large(
        name,
        f"的{what_zh}超过{limit:,}",
        f"has more than {limit:,} {what_en}",
        "请删除多余的空行、空列和格式，或拆成几个文件后报送",
        "Delete surplus blank rows, columns and formatting, or split it into several files",
    )


def unpacks_too_far(name: str, limit: int) -> FileTooLarge:
    """An archive or workbook that grows beyond bounds."""
    return too_large(
        name,
        f"展开后超过{limit >> 20:,} MB或压缩比异常，未读取",
        f"unpacks to more than {limit >> 20:,} MiB, or at an unlikely ratio, and was not read",
        "请删除多余的空行空列，或拆成几个文件后报送",
        "Delete surplus blank rows and columns, or split it into several files",
    )
