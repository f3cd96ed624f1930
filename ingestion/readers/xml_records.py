"""XML that holds records: the element that repeats is a row, its attributes and children are the columns."""

from dataclasses import dataclass, field

from ingestion.readers.blob import Blob
from ingestion.readers.cells import table_of
from ingestion.readers.documents import check_size
from ingestion.readers.grid import Area
from ingestion.readers.limits import Limits
from ingestion.readers.refusals import too_many, unreadable
from ingestion.readers.safe_xml import Handlers, parse
from ingestion.readers.table import Table

_KIND = ("XML 文件", "an XML file")
# Attributes in which an element may carry the name of its column.
_NAMES = ("name", "label")


@dataclass
class _Node:
    tag: str
    attributes: dict[str, str]
    children: list["_Node"] = field(default_factory=list)
    text: str = ""


def read_xml(blob: Blob, limits: Limits) -> list[Table]:
    """A table for each list of records; what stands beside them becomes title lines.

    Raises :class:`UnreadableFile` for broken XML or none with records, :class:`FileTooLarge` beyond the limits.
    """
    advice = ("请改为 CSV，或拆成几个文件后报送", "Write CSV instead or split it into several files")
    check_size(blob, limits, advice)
    tree = _Tree(blob.name, limits)
    with blob.open() as stream:
        parse(stream, tree, name=blob.name, limits=limits, kind=_KIND)
    if tree.root is None:
        raise unreadable(blob.name, "没有内容", "holds nothing", "请重新导出", "Export it again")
    lists, beside = _lists(tree.root)
    area = Area(blob.name, limits)
    tables = []
    for records in lists:
        rows = _rows(records, beside)
        width = max(map(len, rows))
        area.take(len(rows), width)
        sheet = records[0].tag if len(lists) > 1 else ""
        if width:
            tables.append(table_of(sheet, [[*row, *[None] * (width - len(row))] for row in rows]))
    return tables


class _Tree(Handlers):
    """The document as a tree of no more nodes than a sheet may have cells."""

    def __init__(self, name: str, limits: Limits) -> None:
        self.root: _Node | None = None
        self._name = name
        self._most = limits.cells // 4
        self._nodes = 0
        self._open: list[_Node] = []
        self._text: list[str] = []

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        self._nodes += 1 + len(attributes)
        if self._nodes > self._most:
            raise too_many(self._name, "元素数", "elements", self._most)
        node = _Node(tag, attributes)
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)
        self._text = []

    def end(self, tag: str) -> None:
        """An element ends; only one without children keeps its text."""
        node = self._open.pop()
        if not node.children:
            node.text = "".join(self._text).strip()
        self._text = []

    def text(self, data: str) -> None:
        """Characters."""
        self._text.append(data)


def _lists(root: _Node) -> tuple[list[list[_Node]], list[tuple[str, str]]]:
    """The records, list by list, and what is said beside them.

    Going down from the root, what comes again under its parent is a record, and is gone into no further: what
    repeats inside it belongs to it. Without any, the document is one record.
    """
    lists: list[list[_Node]] = []
    beside: list[tuple[str, str]] = []
    waiting = [root]
    while waiting:
        node = waiting.pop(0)
        beside += [(name, value) for name, value in node.attributes.items() if value.strip()]
        if not node.children and node.text:
            beside.append((node.tag, node.text))
        likes: dict[str, list[_Node]] = {}
        for child in node.children:
            if _is_record(child):
                likes.setdefault(child.tag, []).append(child)
        lists += [group for group in likes.values() if len(group) > 1]
        waiting += [child for child in node.children if len(likes.get(child.tag, ())) < 2]
    if lists:
        return lists, beside
    while len(root.children) == 1 and _is_record(root.children[0]):
        root = root.children[0]
    return [[root]], []


def _is_record(node: _Node) -> bool:
    """Whether an element holds several things, and is no single value that says its name."""
    return bool(node.children) or bool(node.attributes.keys() - set(_NAMES))


def _rows(records: list[_Node], beside: list[tuple[str, str]]) -> list[list[object]]:
    """Title lines, a row of names, a row a record."""
    flat = [_flatten(record) for record in records]
    names = list(dict.fromkeys(name for record in flat for name in record))
    titles: list[list[object]] = [[f"{name}：{value}"] for name, value in beside]
    rows: list[list[object]] = [[record.get(name) for name in names] for record in flat]
    return [*titles, list(names), *rows]


def _flatten(record: _Node) -> dict[str, str]:
    """Values of a record by name; a name that comes again inside it is numbered."""
    values: dict[str, str] = {}

    def put(name: str, value: str) -> None:
        key, number = name, 2
        while key in values:
            key, number = f"{name}_{number}", number + 1
        values[key] = value

    waiting = [record]
    while waiting:
        node = waiting.pop(0)
        # <field name="床位数">50</field> names its column in an attribute.
        named = next((node.attributes[key] for key in _NAMES if key in node.attributes), None)
        if named and node is not record and not node.children and len(node.attributes) == 1:
            put(named, node.text)
            continue
        for name, value in node.attributes.items():
            put(name, value)
        if not node.children and node.text:
            put(node.tag, node.text)
        waiting[:0] = node.children
    return values
