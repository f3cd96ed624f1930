"""What people type into the wrong column: numbers, telephones, addresses and names that must not be stored.

A cell of a card that would be stored is looked at as text; where it says who somebody is it becomes blank, or in the
number of a card a keyed hash, and the card says so in a finding that does not repeat it.
"""

from collections.abc import Mapping, Sequence

import polars as pl

from ingestion.form import FormField
from ingestion.identifiers import citizen_numbers_valid

# A citizen number, a mobile or fixed telephone, a house number behind a street or a room in a building.
_PERSONAL = (
    r"(?:^|[^0-9])[1-9][0-9]{5}(?:18|19|20)[0-9]{9}[0-9Xx](?:$|[^0-9])"
    r"|(?:^|[^0-9])[1-9][0-9]{5}[0-9]{2}(?:0[1-9]|1[0-2])[0-3][0-9]{4}(?:$|[^0-9])"
    r"|(?:^|[^0-9A-Za-z])(?:\+?86[- ]?)?1[3-9][0-9][- ]?[0-9]{4}[- ]?[0-9]{4}(?:$|[^0-9])"
    r"|(?:^|[^0-9A-Za-z])0[1-9][0-9]{1,2}[- ][0-9]{7,8}(?:$|[^0-9])"
    r"|(?:路|街|巷|弄|里|村|道|苑|园|区|镇|乡|组|队)[^，。；]{0,8}[0-9０-９一二三四五六七八九十百]+(?:号|栋|幢|座|单元|室)"
    r"|[0-9]+(?:栋|幢|单元)[0-9]*"
)

# Numbers of cards are digits, letters and a few signs; what has no digit is a word.
_NUMBER = r"^(?:[A-Za-z][A-Za-z.\-+*/_()]{0,31})?[0-9][0-9A-Za-z.\-+*/_()]{0,63}$"

# The family names of nine people in ten.
_FAMILY_NAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾萧肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈"
    "钟姜崔谭陆范汪廖石金韦贾夏付傅方邹熊孟秦白江阎闫薛尹段雷侯龙史陶黎贺顾毛郝龚邵万钱严武戴莫孔向汤温康施洪"
    "翟佘詹骆裴翁聂窦倪祁邢俞樊耿覃"
)
_DOUBLE_NAMES = "欧阳|司马|上官|诸葛|皇甫|尉迟|慕容|司徒|令狐|夏侯|端木"
_NAME = rf"^(?:[{_FAMILY_NAMES}]|{_DOUBLE_NAMES})[\u4e00-\u9fff]{{1,2}}(?:先生|女士)?$"
_LIKE_A_NAME = r"^[\u4e00-\u9fff]{2,4}$"
_SPACE = r"[ \u00a0\u3000]"

# The shape of a citizen number, which the numbers of cards may have: a region, a day and a running number.
_CITIZEN = r"^[1-9][0-9]{5}(?:18|19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{3}[0-9Xx]$"

# A mobile telephone as the whole of a number of a card.
_MOBILE = r"^(?:\+?86-?)?1[3-9][0-9]-?[0-9]{4}-?[0-9]{4}$"
_MOBILE_HEAD = 5
"""First digits that mobile numbers seldom share; running numbers of cards do."""

_LEAST_RUNNING = 10
"""So many numbers of cards, and no fewer, may be running numbers that merely begin like a mobile one."""

_VALUE = "__value"
"""The stored column among the personal ones."""

_LEAST_NAMES = 3
"""So many names, and no fewer of them than of other words, make a column one of names."""

# What begins like a name and is none: illnesses, departments, occupations.
_NO_NAME = r"[科部室院所站病炎症癌瘤喉疸痛热血伤毒]$|^(?:高[血原]|白内|石棉|方舱|康复|金属|温度|马方)"

# A name in a sentence stands behind a word that announces a person; before one that goes on, or at an end.
_ANNOUNCES = (
    "(?:患者|病人|患儿|产妇|孕妇|死者|姓名|联系人|家属|家长|监护人|其?父亲?|其?母亲?|丈夫|妻子|儿子|女儿|医生|医师)"
    "[:：为是叫系，,]{0,2}"
)
_ANNOUNCED = (
    rf"{_ANNOUNCES}(?:(?:[{_FAMILY_NAMES}]|{_DOUBLE_NAMES})[\u4e00-\u9fff]{{1,2}}|[\u4e00-\u9fff]某{{1,2}})"
    r"(?:$|[，。；、,.;:：()（）0-9\s]|之|的|诉|于|因|男|女|电话|手机|住)"
)
# What begins like a name behind such a word and is none.
_SYMPTOM = (
    rf"{_ANNOUNCES}(?:高[热烧血压度龄危原]|白[细内色蛋带喉]|黄[疸染色]|温度|金黄|石膏|方案|于[今昨当本前0-9]"
    "|余[无未]|史[无否]|何时)"
)

# Family names in Latin letters, before or behind the given name.
_PINYIN = (
    "wang|li|zhang|liu|chen|yang|huang|zhao|wu|zhou|xu|sun|ma|zhu|hu|guo|he|gao|lin|luo|zheng|liang|xie|song|tang|han|"
    "feng|deng|cao|peng|zeng|xiao|tian|dong|pan|yuan|cai|jiang|yu|du|ye|cheng|wei|su|lu|lv|ding|ren|yao|shen|zhong|"
    "jin|tan|fan|liao|shi|xia|jia|fu|fang|zou|xiong|bai|meng|qin|qiu|hou|yin|xue|yan|lei|long|tao|gu|mao|hao|gong|"
    "shao|wan|qian|dai|mo|kong|xiang|ouyang"
)
_LATIN = (
    rf"(?i)^(?:{_PINYIN})[ ,·]+[a-z]{{2,8}}(?:[ '-]?[a-z]{{2,6}})?$"
    rf"|^[a-z]{{2,8}}(?:[ '-][a-z]{{2,6}})?[ ,·]+(?:{_PINYIN})$"
    r"|\b(?:mr|mrs|ms|miss|dr)\.? +[a-z]{2,}"
)

# Where somebody can be written to, and the numbers under which a hospital or an insurer knows a person.
_KNOWN_AS = (
    r"[0-9A-Za-z._%+-]+[@＠][0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)+"
    r"|(?:病案|病历|住院|门诊|就诊|就诊卡|档案|医保|医保卡|社保|社保卡|护照)号码?[:：为是]{0,2}[0-9A-Za-z-]{4,}"
)

_SHORTEST = 6
"""Characters of the shortest thing that is looked for in plain letters and digits: an e-mail address."""

_LEAST_TELEPHONE, _LEAST_NUMBER = 13_000_000_000, 10**14
"""Numbers from which on a count or a price can only be a telephone, or a citizen number."""


def misplaced(
    field: FormField,
    values: pl.Series,
    persons: Mapping[str, pl.Series],
    *,
    known: Sequence[str] = (),
    is_key: bool = False,
) -> pl.Series | None:
    """Which cells of a stored column say who somebody is; None when none does.

    ``persons`` are the personal columns of the same cards, by code; ``known`` are words that are no names although
    they look like some (labels of the form's code lists). The numbers of cards (``is_key``) are often as long as
    those of persons, so fewer things are looked for in them, and not where all of them are made like that.
    """
    if field.type in ("int", "dec"):
        largest = values.max()
        if not isinstance(largest, int | float) or largest < _LEAST_TELEPHONE:
            return None
        return _any(((values >= _LEAST_TELEPHONE) & (values < 2 * 10**10)) | (values >= _LEAST_NUMBER))
    if field.type not in ("text", "code") or field.code_list or values.null_count() == len(values):
        return None
    frame = pl.DataFrame([values.alias(_VALUE), *(column.alias(code) for code, column in persons.items())])
    value = pl.col(_VALUE).str
    ascii_only, longest = frame.select(
        (value.len_bytes() == value.len_chars()).all().alias("ascii"),
        value.len_bytes().max().alias("longest"),
    ).row(0)
    repeats = _repeats(persons, whole=ascii_only)
    if is_key:
        looked = frame.select(
            found=repeats | ~value.contains(_NUMBER),
            shaped=value.contains(_CITIZEN),
            mobile=value.contains(_MOBILE),
        )
        found = looked["found"] | _citizen_numbers(values, looked["shaped"])
        return _any(found | _mobile_numbers(values, looked["mobile"]))
    found = frame.select(repeats.fill_null(value=False).alias("found")).to_series()
    if isinstance(longest, int) and longest >= (_SHORTEST if ascii_only else 2):
        found = found | values.str.contains(_PERSONAL) | values.str.contains(_KNOWN_AS)
        found = found | values.str.contains(_LATIN)
        together = _together(values, ascii_only=ascii_only)
        if together is not None:
            found = found | together.str.contains(_PERSONAL) | together.str.contains(_KNOWN_AS)
            values = together
    if not ascii_only:
        found = found | _names(values, known)
        found = found | values.str.replace_all(_SYMPTOM, "").str.contains(_ANNOUNCED)
    return _any(found)


def _citizen_numbers(keys: pl.Series, shaped: pl.Series) -> pl.Series:
    """Citizen numbers among the numbers of cards; none where all are made like one and few are right by chance."""
    shaped = shaped.fill_null(value=False)
    if not shaped.any():
        return shaped
    right = citizen_numbers_valid(keys.filter(shaped).str.to_uppercase())
    if _are_the_rule(shaped, keys) and (right.sum() or 0) * 2 <= len(right):
        return shaped & False
    return shaped.scatter(shaped.arg_true(), right)


def _mobile_numbers(keys: pl.Series, mobile: pl.Series) -> pl.Series:
    """Mobile numbers among the numbers of cards; none where those are running numbers of eleven digits."""
    mobile = mobile.fill_null(value=False)
    count = int(mobile.sum())
    if count < _LEAST_RUNNING or not _are_the_rule(mobile, keys):
        return mobile
    heads = keys.filter(mobile).str.head(_MOBILE_HEAD).n_unique()
    return mobile & False if heads * 2 <= count else mobile


def _are_the_rule(some: pl.Series, keys: pl.Series) -> bool:
    """Whether half of the numbers or more are such."""
    return int(some.sum()) * 2 >= len(keys) - keys.null_count()


def _together(values: pl.Series, *, ascii_only: bool) -> pl.Series | None:
    """Cells without the spaces and full-width forms that set apart what belongs together; None if they have none."""
    if ascii_only and not values.str.contains(" ", literal=True).any():
        return None
    return values.str.normalize("NFKC").str.replace_all(_SPACE, "")


def _names(values: pl.Series, known: Sequence[str]) -> pl.Series:
    """Cells that are a name; in a column of names, every word that may be one."""
    other = values.str.contains(_NO_NAME) | values.is_in(list(known))
    named = (values.str.contains(_NAME) & ~other).fill_null(value=False)
    count = int(named.sum())
    if count < _LEAST_NAMES:
        return named
    short = (values.str.contains(_LIKE_A_NAME) & ~other).fill_null(value=False)
    filled = len(values) - values.null_count()
    return named | short if count * 2 >= filled else named


def _repeats(persons: Mapping[str, pl.Series], *, whole: bool) -> pl.Expr:
    """Cells that hold what a personal column of the same card says, or are just that (``whole``)."""
    value = pl.col(_VALUE)
    hits = [
        value == pl.col(code)
        if whole
        # Single characters stand in many words.
        else (pl.col(code).str.len_chars() > 1) & value.str.contains(pl.col(code), literal=True)
        for code in persons
    ]
    return pl.any_horizontal(hits) if hits else pl.lit(value=False)


def _any(found: pl.Series) -> pl.Series | None:
    found = found.fill_null(value=False)
    return found if found.any() else None
