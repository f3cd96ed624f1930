"""What a cell of a template accepts, in the words of the spreadsheet program."""

from collections.abc import Mapping

from openpyxl.worksheet.datavalidation import DataValidation

from ingestion.form import CodeList, Form, FormField
from ingestion.values import LARGEST

_TITLE, _TEXT = 32, 255

NUMBER_FORMATS = {
    "int": "#,##0",
    "dec": "General",
    "text": "@",
    "code": "@",
    "date": "yyyy-mm-dd",
    "datetime": "yyyy-mm-dd hh:mm:ss",
    "flag": "@",
}
TYPE_NAMES = {
    "int": "整数",
    "dec": "数值",
    "text": "文字",
    "code": "代码",
    "date": "日期",
    "datetime": "日期时间",
    "flag": "是/否",
}
_PERIODS = {
    "month": "年月，如2015年3月",
    "quarter": "季度，如2015年第1季度",
    "cumulative_quarter": "季度，如2015年1-2季度（年初起累计）",
    "year": "年份，如2015",
    "mch_year": "年度，如2015（上年10月1日至本年9月30日）",
    "event": "日期，如2015-03-01",
}
_SPECIAL_ZH = {"not_carried_out": "未开展", "not_collected": "未收集"}
_CODE_LENGTHS = {"citizen_number": (18, "居民身份证号码，18位"), "uscc": (18, "统一社会信用代码，18位")}


def special_text(form: Form) -> str:
    """The form's special values with their meaning; empty when it has none."""
    return "；".join(
        f"{value} 表示{_SPECIAL_ZH.get(reason, reason)}" for value, reason in form.special_values.items()
    )


def list_word(code_list: CodeList, code: str) -> str:
    """What a drop-down offers for a code: its printed label if that is read as this code, else the code."""
    labels = code_list.by_code[code].labels
    return next((label for label in (*labels, code) if code_list.code_of(label) == code), code)


def validation_of(form: Form, item: FormField, cell: str, lists: Mapping[str, str]) -> DataValidation:
    """The check of a field's cells, of which ``cell`` is the first, with the prompt that is shown there.

    ``lists`` gives the range of each code list's words.
    """
    check = DataValidation(allow_blank=True, showInputMessage=True, showErrorMessage=True)
    asks = TYPE_NAMES[item.type]
    if item.code in form.period.fields:
        asks = _PERIODS[form.period.type]
    elif item.type in ("int", "dec"):
        asks = _number(check, form, item, cell)
    elif item.type == "flag":
        check.type, check.formula1 = "list", '"是,否"'
        asks = "从下拉列表选择：是、否"
    elif item.code_list:
        check.type, check.formula1 = "list", lists[item.code_list]
        asks = f"从下拉列表选择（{form.code_lists[item.code_list].name_zh}）"
    elif item.type in ("date", "datetime"):
        check.type, check.operator, check.formula1 = "date", "greaterThanOrEqual", "DATE(1900,1,1)"
        asks = "日期，如2015-03-01" if item.type == "date" else "日期和时间，如2015-03-01 08:30"
    elif item.format in _CODE_LENGTHS:
        length, asks = _CODE_LENGTHS[item.format]
        check.type, check.operator, check.formula1 = "textLength", "equal", str(length)
    unit = item.source_unit or item.unit
    said = [asks, *([f"计量单位：{unit}"] if unit else []), *(["必填"] if item.required else [])]
    prompt = "；".join(said) + (f"。{item.note}" if item.note else "")
    check.promptTitle, check.prompt = item.name_zh[:_TITLE], prompt[:_TEXT]
    check.errorTitle, check.error = "填写不符合要求", f"{item.name_zh}：{asks}"[:_TEXT]
    return check


def _number(check: DataValidation, form: Form, item: FormField, cell: str) -> str:
    whole = item.type == "int"
    lowest = -LARGEST if item.negative else 0.0
    asks = "整数" if whole else "数值"
    if form.special_values and item.role == "measure":
        kinds = [f"ISNUMBER({cell})", f"{cell}>={lowest:.0f}", *([f"{cell}=INT({cell})"] if whole else [])]
        specials = [f"{cell}={value}" for value in form.special_values]
        check.type, check.formula1 = "custom", f"OR(AND({','.join(kinds)}),{','.join(specials)})"
    else:
        check.type, check.operator = "whole" if whole else "decimal", "between"
        check.formula1, check.formula2 = f"{lowest:.0f}", f"{LARGEST:.0f}"
    said = asks if item.negative else f"{asks}，不小于零"
    return f"{said}（{special_text(form)}）" if form.special_values and item.role == "measure" else said
