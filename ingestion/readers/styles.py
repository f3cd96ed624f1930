"""Styles of a workbook (.xlsx): which of them show a number as a percentage."""

import re

from defusedxml import ElementTree as SafeTree

from ingestion.readers.number_formats import shows_percent
from ingestion.readers.packages import Package

STYLES = "xl/styles.xml"
# Numbers of the built-in formats 0% and 0.00%.
_BUILT_IN = {"9", "10"}
# Most workbooks have none; their styles are not parsed.
_MAY_SHOW = re.compile(rb"numFmtId\s*=\s*[\"'](?:9|10)[\"']|%")


def percent_styles(package: Package) -> tuple[int, ...]:
    """Numbers by which cells name a style that shows percentages."""
    if STYLES not in package:
        return ()
    xml = package.read(STYLES)
    if not _MAY_SHOW.search(xml):
        return ()
    tree = SafeTree.fromstring(xml, forbid_dtd=True)
    named = {child.tag.rpartition("}")[2]: child for child in tree}
    codes = {one.get("numFmtId"): one.get("formatCode") or "" for one in named.get("numFmts", ())}
    return tuple(
        number
        for number, style in enumerate(named.get("cellXfs", ()))
        if (kind := style.get("numFmtId")) in _BUILT_IN - codes.keys() or shows_percent(codes.get(kind, ""))
    )
