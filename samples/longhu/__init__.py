"""The Longhu 2015 sample: constructed reports that add up to what the district's plan prints."""

from datetime import datetime
from pathlib import Path
from typing import Literal

from samples.longhu import site
from samples.longhu.files import amendment_delivery, main_delivery
from samples.longhu.incidents import AMENDED_VISITS, AMENDMENT, BROKEN, LATE, RESENT, Incident
from samples.longhu.moments import SHANGHAI
from samples.longhu.plan import Figure, Verdict
from samples.longhu.printed import DOCUMENT, EXPECTED, NOT_CARRIED
from samples.writers import Delivery, put

__all__ = [
    "AMENDED_VISITS",
    "AMENDMENT",
    "BROKEN",
    "DOCUMENT",
    "EXPECTED",
    "LATE",
    "NOT_CARRIED",
    "RESENT",
    "Figure",
    "Incident",
    "Verdict",
    "write",
]

README = f"""\
# 构造样例数据：龙湖 2015

这里的报表全部是为演示和测试构造的，没有任何一份由真实机构上报；机构名称、代码和各机构、各月的数字都是虚构的，
统一社会信用代码使用不存在的登记区划 999999。只有合计数取自{DOCUMENT}第一部分“发展现状”所印的 2015 年数字。

规划所印数字与样例算出的数字逐项对照，见 `samples.longhu.EXPECTED`；规划自相矛盾之处不予迁就，例如：
医院病床使用率印 76.5 %，按公立 74.9 % 与民营 57.3 % 只能是 69.2 %；卫生人员总数印 1889，分项之和为 1945。

另有四件特意安排的事：
- 再次报送（内容相同）：{RESENT.file}
- 违反逻辑关系，应隔离：{BROKEN.file}
- 迟报：{LATE.file}
- 订正（另行送达）：{AMENDMENT.file}

The reports here are constructed for demonstration and tests. None was filed by anyone; only their totals are
the ones that the named plan prints for 2015.
"""


def write(target_home: Path, *, delivery: Literal["main", "amendment"] = "main") -> list[Path]:
    """Write the site folder and the files of a delivery below an instance's home; returns the files written.

    The same bytes and modification times each time, so that writing twice is no second delivery.
    """
    if delivery == "amendment":
        return [put(file, target_home / "inbox") for file in amendment_delivery()]
    if delivery != "main":
        raise ValueError(f"no delivery {delivery!r}; there are 'main' and 'amendment'")
    configured = datetime(2015, 1, 5, 9, 0, tzinfo=SHANGHAI)
    for name, content in {**site.files(), "README.md": README}.items():
        put(Delivery(name, content.encode(), configured), target_home / "site")
    put(Delivery("README.md", README.encode(), configured), target_home / "inbox")
    return [put(file, target_home / "inbox") for file in main_delivery()]
