"""Words that head the columns of upright forms, whatever the form."""

# Headings of a long table's column of labels, and of its column of values.
ITEMS = {
    "指标",
    "指标名称",
    "项目",
    "项目名称",
    "数据项",
    "统计指标",
    "栏目",
    "指标项",
    "item",
    "indicator",
    "field",
    "data_element",
}
ITEM_CODES = {"指标代码", "指标编码", "项目代码", "数据项代码"}
VALUES = {
    *(
        "数值",
        "值",
        "数量",
        "数据",
        "填报值",
        "填报数",
        "指标值",
        "本期数",
        "本期值",
        "本月数",
        "本月",
        "本年数",
        "本季数",
        "本期",
    ),
    *("value", "number", "amount"),
}
# Columns between labels and values that say nothing of a report.
ASIDE = {
    "计量单位",
    "单位",
    "度量单位",
    "序号",
    "编号",
    "行次",
    "代码",
    "指标代码",
    "项目代码",
    "备注",
    "说明",
    "栏次",
    "类别",
    "unit",
    "no",
    "no.",
}
# Of these, a column that holds nothing but units of measure; 单位 may also head institutions.
UNIT_COLUMNS = {"计量单位", "度量单位"}
UNIT_HEADS = UNIT_COLUMNS | {"单位", "unit"}
