"""What a build asks dbt for."""

import json
from types import SimpleNamespace

import pytest

from warehouse.building import PROJECT, _selection, _with_steps, _without_places
from warehouse.settings import Settings


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


def test_steps_are_built_every_night_as_what_they_lead_to():
    steps = [model("int_step", folder="intermediate"), model("stg_view", folder="staging")]
    assert _selection([], steps, set(), {"int_step"}) == ["int_step"]


def test_lists_and_views_are_built_when_their_files_changed():
    nodes = [model("dim_list", folder="dimensional/lists")]
    assert _selection([], nodes, set(), set()) == []
    assert _selection(["lists"], nodes, set(), set()) == [
        "path:models/dimensional/lists",
        "path:models/intermediate/lists",
    ]
    assert _selection(["seed.disease"], nodes, set(), set()) == ["disease", "path:models/staging"]


def test_what_a_table_took_is_told_with_the_steps_to_it():
    step = model("int_step", folder="intermediate")
    step.config.meta["step_to"] = "fct_any"
    assert _with_steps({"fct_any": 2.0, "fct_a": 1.0, "int_step": 0.5}, [*FACTS, step]) == {
        "fct_any": 2.5,
        "fct_a": 1.0,
        "int_step": 0.5,
    }


@pytest.mark.parametrize("home", ["home", "卫健委 数仓"])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_the_pages_of_models_name_no_folder_of_the_machine(tmp_path, home, ascii_only):
    settings = Settings(home=tmp_path / home)
    node = {
        "compiled_path": str(settings.home / "dbt" / "target" / "compiled" / "dim_date.sql"),
        "root_path": str(PROJECT),
    }
    page = _without_places(settings, json.dumps(node, ensure_ascii=ascii_only))
    assert json.loads(page) == {"compiled_path": "target/compiled/dim_date.sql", "root_path": "dbt_project"}
