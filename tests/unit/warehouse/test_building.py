"""What a build asks dbt for."""

from types import SimpleNamespace

from warehouse.building import _selection


def model(name, *, forms=None, folder="dimensional"):
    meta = {"forms": forms} if forms else {}
    return SimpleNamespace(
        resource_type="model",
        schema="star",
        name=name,
        path=f"{folder}/{name}.sql",
        config=SimpleNamespace(meta=meta),
    )


FACTS = [model("fct_a", forms=["a", "b"]), model("fct_c", forms=["c"]), model("fct_any")]
TABLES = {"fct_a", "fct_c", "fct_any"}


def test_a_fact_is_built_when_one_of_its_forms_changed_and_otherwise_left_alone():
    assert _selection([], FACTS, {"b"}, TABLES) == ["fct_a", "fct_any"]


def test_a_fact_without_a_table_is_built_whatever_changed():
    assert _selection([], FACTS, set(), TABLES - {"fct_c"}) == ["fct_c", "fct_any"]


def test_lists_and_views_are_built_when_their_files_changed():
    nodes = [model("dim_list", folder="dimensional/lists")]
    assert _selection([], nodes, set(), set()) == []
    assert _selection(["lists"], nodes, set(), set()) == ["path:models/dimensional/lists"]
    assert _selection(["seed.disease"], nodes, set(), set()) == ["disease", "path:models/staging"]
