"""Hostile, broken and mislabelled files end in words a clerk understands, within bounded time and memory."""

import io
import json
import os
import random
import subprocess
import sys
import tarfile
import zipfile
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingestion.errors import UnreadableFile
from ingestion.readers import read_contents, read_tables
from ingestion.readers.limits import Limits
from tests.unit.ingestion.readers.bombs import BOMBS, ROWS, edited, with_cells
from tests.unit.ingestion.readers.writers import (
    FORMATS,
    delimited,
    ods,
    spreadsheetml,
    tarred,
    xls,
    xlsx,
    zipped,
)

ROOT = Path(__file__).resolve().parents[4]
MEMORY = 3 << 30
"""Bytes of address space that reading all bombs one after another may take."""

_READ_ALL = """
import json, resource, sys, time
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[2]), int(sys.argv[2])))
from ingestion.errors import UnreadableFile
from ingestion.readers import read_contents
told = {}
for path in sorted(Path(sys.argv[1]).iterdir()):
    started = time.process_time()
    try:
        for table in read_contents(path).tables:
            table.rows_below(1)
        rule, zh, en = None, "", ""
    except UnreadableFile as error:
        rule, zh, en = error.rule_id, error.message_zh, str(error)
    told[path.name] = (rule, zh, en, time.process_time() - started)
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str, str, float]]:
    """What a process with little memory says of each bomb."""
    folder = tmp_path_factory.mktemp("bombs")
    for name, (make, _) in BOMBS.items():
        (folder / name.replace("/", "-")).write_bytes(make())
    done = subprocess.run(
        [sys.executable, "-c", _READ_ALL, str(folder), str(MEMORY)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=300,
        check=False,
        env={**os.environ, "POLARS_MAX_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_ends_in_words(name: str, told: dict[str, tuple[str, str, str, float]]) -> None:
    rule, zh, en, seconds = told[name.replace("/", "-")]
    assert rule == BOMBS[name][1]
    assert any("\u4e00" <= letter <= "\u9fff" for letter in zh)
    assert "；" in zh, "says what to do"
    assert en
    assert seconds < 30


def test_blank_cells_that_only_have_a_format_cost_nothing(tmp_path: Path) -> None:
    blank = "".join(f'<row r="{n}"><c r="A{n}" s="0"/><c r="ZZ{n}" s="0"/></row>' for n in range(2, 60_000))
    path = tmp_path / "formatted.xlsx"
    path.write_bytes(with_cells(f'<row r="1"><c r="A1"><v>7</v></c></row>{blank}'))
    (table,) = read_tables(path)
    assert table.rows_below(0).rows() == [(7.0,)]


def test_ods_rows_that_repeat_nothing_are_no_rows(tmp_path: Path) -> None:
    ending = (
        b'<table:table-row table:number-rows-repeated="1048574">'
        b'<table:table-cell table:number-columns-repeated="16384"/></table:table-row></table:table>'
    )
    path = tmp_path / "usual.ods"
    path.write_bytes(edited(ods(ROWS), content=lambda content: content.replace(b"</table:table>", ending)))
    (table,) = read_tables(path)
    assert table.head == [["机构名称", "数"], ["甲", "1"]]


def test_a_bad_member_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    good = delimited("gb18030")(ROWS)
    path = tmp_path / "all.zip"
    path.write_bytes(
        zipped(
            {
                "甲/2015年3月.csv": good,
                "坏.xlsx": b"PK\x03\x04 broken",
                "照片.png": b"\x89PNG\r\n\x1a\n",
                "乙.csv": good,
            }
        )
    )
    contents = read_contents(path)
    assert [(table.sheet, table.file_name) for table in contents.tables] == [
        ("甲/2015年3月.csv", "甲/2015年3月.csv"),
        ("乙.csv", "乙.csv"),
    ]
    assert [(one.rule_id, one.severity, one.sheet) for one in contents.findings] == [
        ("MEMBER_UNREADABLE", "soft", "坏.xlsx"),
        ("MEMBER_UNREADABLE", "soft", "照片.png"),
    ]
    assert "坏.xlsx" in contents.findings[0].message_zh
    assert "坏.xlsx" in contents.findings[0].message_en


def test_what_systems_add_to_archives_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "mac.zip"
    noise = {
        "__MACOSX/._a.csv": b"\0\1",
        ".DS_Store": b"\0",
        "a/Thumbs.db": b"\0",
        "~$a.xlsx": b"\0",
        "d/": b"",
    }
    path.write_bytes(zipped({"a.csv": b"a,b\n1,2\n", **noise}))
    contents = read_contents(path)
    assert [table.sheet for table in contents.tables] == ["a.csv"]
    assert contents.findings == []


def test_names_in_archives_are_decoded(tmp_path: Path) -> None:
    """Old programs write names in GB18030 and say nothing of it."""
    raw = "医院月报.csv".encode("gb18030")
    packed = zipped({"x" * len(raw): b"a,b\n1,2\n"}).replace(b"x" * len(raw), raw)
    path = tmp_path / "names.zip"
    path.write_bytes(packed)
    assert read_contents(path).tables[0].file_name == "医院月报.csv"
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.GNU_FORMAT, encoding="gb18030") as archive:
        info = tarfile.TarInfo("医院月报.csv")
        info.size = 8
        archive.addfile(info, io.BytesIO(b"a,b\n1,2\n"))
    path.write_bytes(target.getvalue())
    assert read_contents(path).tables[0].file_name == "医院月报.csv"


def test_an_archive_in_an_archive_is_read(tmp_path: Path) -> None:
    inner = tarred({"2015-03.csv": delimited("utf-8")(ROWS)})
    path = tmp_path / "twice.zip"
    path.write_bytes(zipped({"甲医院.tgz": inner}))
    (table,) = read_contents(path).tables
    assert table.file_name == "甲医院.tgz/2015-03.csv"
    assert table.head[1] == ["甲", "1"]


def test_a_large_member_is_read_from_disk_and_leaves_nothing_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("ingestion.readers.archives._IN_MEMORY", 1 << 16)
    rows = [["机构名称", "数"], *([f"构造{n}", n] for n in range(20_000))]
    packed = tarred({"a.csv": delimited("utf-8")(rows)})
    path = tmp_path / "large.tar.gz"
    path.write_bytes(packed)
    (table,) = read_contents(path).tables
    assert list(tmp_path.iterdir()) == [path]
    assert sum(batch.height for batch in table.batches(1, 5_000)) == 20_000
    assert list(tmp_path.iterdir()) == [path]


def test_a_line_in_another_encoding_is_named_wherever_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "mixed.csv"
    chinese = "构造甲医院,2015年3月,联通,1\n".encode("gb18030")
    path.write_bytes(chinese * 70_000)
    assert read_tables(path)[0].rows_below(0).height == 70_000
    path.write_bytes(chinese * 70_000 + "人民医院,2\n".encode() + chinese)
    with pytest.raises(UnreadableFile, match="line 70001 is UTF-8"):
        read_tables(path)


def test_the_extension_says_nothing(tmp_path: Path) -> None:
    for name, content in {
        "a.csv": xlsx(ROWS),
        "b.xlsx": xls(ROWS),
        "c.xls": spreadsheetml(ROWS),
        "d.pdf": b"a,b\n1,2\n",
    }.items():
        path = tmp_path / name
        path.write_bytes(content)
        assert read_tables(path)[0].head[0] in (["机构名称", "数"], ["a", "b"])


def test_a_file_that_takes_too_long_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "slow.xls"
    path.write_bytes(spreadsheetml(ROWS))
    limits = Limits.of()
    with pytest.raises(UnreadableFile, match="0 seconds"):
        read_contents(path, limits=type(limits)(**{**vars(limits), "seconds": 0}))


def test_a_character_that_no_database_takes_becomes_a_mark(tmp_path: Path) -> None:
    path = tmp_path / "nul.json"
    path.write_bytes(json.dumps([{"a": "x\0y", "b": "\ud800"}]).encode())
    (table,) = read_tables(path)
    assert table.rows_below(1).rows() == [("x\ufffdy", "?")]


_SMALL = [["机构名称", "数", "日期"], *([f"构造{n}", n, "2015-03-01"] for n in range(30))]


@pytest.mark.parametrize("file_format", FORMATS)
@settings(max_examples=15, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_broken_file_never_ends_in_another_error(
    file_format: str, data: st.DataObject, tmp_path: Path
) -> None:
    content = bytearray(FORMATS[file_format](_SMALL))
    _break(content, data)
    path = tmp_path / "broken"
    path.write_bytes(content)
    _read_or_refuse(path)


REAL = ["kenya/kenya.xlsx", "nhs_ae/ae_attendances_2016-04_2018-03.csv", "cnids_2017_xls.tar.gz"]


@pytest.mark.parametrize("file", REAL)
def test_a_broken_real_file_never_ends_in_another_error(file: str, shared_data: Path, tmp_path: Path) -> None:
    content = (shared_data / file).read_bytes()
    chance = random.Random(file)  # noqa: S311 - no secret
    if file.endswith(".gz"):
        with tarfile.open(shared_data / file) as archive:
            member = archive.extractfile(archive.getmembers()[3])
            assert member
            content = member.read()
    for _ in range(4 if len(content) > 1 << 20 else 25):
        broken = bytearray(content)
        for _ in range(chance.randint(1, 8)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        if chance.random() < 0.5:
            del broken[chance.randrange(len(broken)) :]
        path = tmp_path / "broken"
        path.write_bytes(broken)
        _read_or_refuse(path)


@pytest.mark.parametrize("packed", ["none", "snappy", "zstd"])
def test_broken_parquet_never_ends_in_another_error(packed: str, tmp_path: Path) -> None:
    """Days beyond all years and texts that are none break compiled code off, which no ``except Exception`` catches."""
    whole = _parquet(packed)
    chance = random.Random(packed)  # noqa: S311 - no secret
    path = tmp_path / "broken.parquet"
    for _ in range(120):
        broken = bytearray(whole)
        for _ in range(chance.randint(1, 6)):
            broken[chance.randrange(4, len(broken) - 8)] = chance.randrange(256)
        path.write_bytes(broken if chance.random() < 0.8 else broken[: chance.randrange(len(broken))])
        _read_or_refuse(path)


@pytest.mark.parametrize(
    ("sound", "damage"),
    [("构造甲".encode(), b"\xff\xfe\xfd" * 3), ((16801).to_bytes(4, "little"), b"\xff\xff\xff\x7f")],
    ids=["text", "day"],
)
def test_parquet_with_a_cell_that_cannot_be_is_damaged(sound: bytes, damage: bytes, tmp_path: Path) -> None:
    path = tmp_path / "broken.parquet"
    content = _parquet("none")
    assert sound in content
    path.write_bytes(content.replace(sound, damage))
    with pytest.raises(UnreadableFile, match="damaged"):
        read_contents(path)


def test_parquet_whose_number_changed_on_the_way_is_damaged(tmp_path: Path) -> None:
    """Where the writer gave a sum with each page, it is held against the page."""
    content = _parquet("none", sums=True)
    number = (70_031).to_bytes(8, "little")
    assert content.count(number) == 1
    path = tmp_path / "changed.parquet"
    path.write_bytes(content.replace(number, (70_032).to_bytes(8, "little")))
    with pytest.raises(UnreadableFile, match="damaged"):
        read_contents(path)


def _parquet(packed: str, *, sums: bool = False) -> bytes:
    days = [date(2016, 1, 1) + timedelta(number) for number in range(60)]
    columns = {
        "机构名称": ["构造甲", "构造乙"] * 30,
        "数": [70_000 + number for number in range(60)],
        "率": [number / 7 for number in range(60)],
        "日期": days,
        "时刻": [datetime(day.year, day.month, day.day, 8, tzinfo=UTC) for day in days],
        "是否": [True, False] * 30,
    }
    target = io.BytesIO()
    pq.write_table(
        pa.table(columns),
        target,
        compression=packed,
        use_dictionary=["机构名称"],
        write_statistics=False,
        store_schema=False,
        write_page_checksum=sums,
    )
    return target.getvalue()


def test_broken_xml_inside_a_sound_package_never_ends_in_another_error(tmp_path: Path) -> None:
    """A package whose sums are right, as a broken program writes it."""
    chance = random.Random(1)  # noqa: S311 - no secret
    with zipfile.ZipFile(io.BytesIO(xlsx(_SMALL))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(150):
        name = chance.choice(sorted(members))
        broken = bytearray(members[name])
        for _ in range(chance.randint(1, 4)):
            broken[chance.randrange(len(broken))] = chance.choice(b"<>\"'/&= 0A9\xff")
        path = tmp_path / "broken.xlsx"
        path.write_bytes(zipped({**members, name: bytes(broken)}))
        _read_or_refuse(path)


def _break(content: bytearray, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, 10**6)) % len(content)] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, 10**6)) % len(content) :]


def _read_or_refuse(path: Path) -> None:
    try:
        for table in read_contents(path).tables:
            assert table.head is not None
            table.rows_below(1)
    except UnreadableFile as error:
        assert error.findings
