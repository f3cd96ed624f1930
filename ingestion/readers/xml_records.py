"""XML that holds records: the element that repeats is a row, its attributes and children are the columns."""

from dataclasses import dataclass, field

from ingestion.readers.blob import Blob
from ingestion.readers.cells import table_of
from ingestion.readers.grid import Area
from ingestion.readers.limits import Limits
from ingestion.readers.refusals import too_large, too_many, unreadable
from ingestion.readers.safe_xml import Handlers, parse
from ingestion.readers.table import Table

_KIND = ("XML 文件", "an XML file")


@dataclass
class _Node:
    tag: str
    attributes: dict[str, str]
    children: list["_Node"] = field(default_factory=list)
    text: str = ""


def read_xml(blob: Blob, limits: Limits) -> list[Table]:
    """The one table of a document of records; what stands beside them becomes title lines.

    Raises :class:`UnreadableFile` for broken XML or none with records, :class:`FileTooLarge` beyond the limits.
    """
    if blob.size > limits.document_bytes:
        megabytes = limits.document_bytes >> 20
        raise too_large(
            blob.name,
            f"超过{megabytes} MB",
            f"is larger than {megabytes} MiB",
            "请改为 CSV，或拆成几个文件后报送",
            "Write CSV instead or split it into several files",
        )
    tree = _Tree(blob.name, limits)
    with blob.open() as stream:
        parse(stream, tree, name=blob.name, limits=limits, kind=_KIND)
    if tree.root is None:
        raise unreadable(blob.name, "没有内容", "holds nothing", "请重新导出", "Export it again")
    rows = _rows(tree.root)
    width = max(map(len, rows), default=0)
    Area(blob.name, limits).take(len(rows), width)
    return [table_of("", [[*row, *[None] * (width - len(row))] for row in rows])] if width else []


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


def _rows(root: _Node) -> list[list[object]]:
    """Title lines, a row of names, a row a record."""
    holder = _holder(root)
    records = holder.children if holder else [root]
    flat = [_flatten(record) for record in records]
    names = list(dict.fromkeys(name for record in flat for name in record))
    titles: list[list[object]] = []
    if holder is not None:
        titles = [[f"{name}：{value}"] for name, value in _beside(root, holder)]
    rows: list[list[object]] = [[record.get(name) for name in names] for record in flat]
    return [*titles, list(names), *rows]


def _holder(root: _Node) -> _Node | None:
    """The element whose children are the records: the one with most children of the same name that hold something."""
    best: tuple[int, _Node | None] = (0, None)
    waiting = [root]
    while waiting:
        node = waiting.pop()
        waiting.extend(reversed(node.children))
        tags = {child.tag for child in node.children}
        full = sum(bool(child.children or child.attributes) for child in node.children)
        if len(tags) == 1 and full > best[0]:
            best = (full, node)
    return best[1]


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
        named = next((node.attributes[key] for key in ("name", "label") if key in node.attributes), None)
        if named and node is not record and not node.children and len(node.attributes) == 1:
            put(named, node.text)
            continue
        for name, value in node.attributes.items():
            put(name, value)
        if not node.children and node.text:
            put(node.tag, node.text)
        waiting[:0] = node.children
    return values


def _beside(root: _Node, holder: _Node) -> list[tuple[str, str]]:
    """What is said outside the records: attributes and texts of the elements around them."""
    said: list[tuple[str, str]] = []
    waiting = [root]
    while waiting:
        node = waiting.pop(0)
        said += [(name, value) for name, value in node.attributes.items() if value.strip()]
        if node is holder:
            continue
        if not node.children and node.text:
            said.append((node.tag, node.text))
        waiting[:0] = node.children
    return said
