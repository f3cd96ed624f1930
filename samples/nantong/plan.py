"""Nantong 2015: where, when and by whom, with the counties as they were."""

from samples.progress import Plan

PLAN = Plan(
    "320600", "南通市", 2015, "NT-B01", "南通样例卫生计生管理中心", ("320623101", "320681101", "320682101")
)
COUNTIES = {
    "320602": "崇川区",
    "320611": "港闸区",
    "320612": "通州区",
    "320621": "海安县",
    "320623": "如东县",
    "320681": "启东市",
    "320682": "如皋市",
    "320684": "海门市",
}
"""Counties and districts as they were in 2015."""
DISTRICTS = (
    ("320602", "崇川区", 902_000, 5_502),
    ("320611", "港闸区", 281_000, 1_700),
    ("320612", "通州区", 1_139_000, 6_890),
)
"""The three districts: residents, and money for basic public health in ten thousand yuan."""
