"""The dbt project keeps to its layers, names and documentation: read from dbt's own manifest."""

import csv
import json
import re
from pathlib import Path

import pytest
import yaml
from dbt.cli.main import dbtRunner

from ingestion.forms_catalogue import load_forms

PROJECT = Path(__file__).resolve().parents[3] / "dbt_project"
FORMS = PROJECT.parent / "ingestion" / "forms"
NAMES = {
    "staging": r"stg_[a-z]+__[a-z_]+",
    "intermediate": r"int_[a-z_]+",
    "dimensional": r"(dim|fct|bridge)_[a-z_]+",
    "marts": r"mart_[a-z_]+",
}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    """dbt's manifest of the project, parsed without a database."""
    target = tmp_path_factory.mktemp("target")
    parsed = dbtRunner().invoke(
        [
            "--quiet", "--log-level", "none", "--log-path", str(target), "parse", "--project-dir", str(PROJECT),
            "--profiles-dir", str(PROJECT), "--target-path", str(target),
        ]
    )  # fmt: skip
    assert parsed.success, parsed.exception
    return json.loads((target / "manifest.json").read_text())


@pytest.fixture(scope="module")
def models(manifest):
    """Models by name."""
    return {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}


RELEASED = ("dimensional", "marts")


def layer(node):
    """Top folder of a model."""
    return node["path"].split("/")[0]


def parents(manifest, node, kind=""):
    """What a model reads, as (kind, name or source)."""
    return [
        tuple(parent.split(".", 1))
        for parent in node["depends_on"]["nodes"]
        if parent.startswith(kind or ("model", "source", "seed"))
    ]


def test_models_are_named_after_their_layer(models):
    for name, node in models.items():
        assert re.fullmatch(NAMES[layer(node)], name), name


def test_staging_reads_sources_and_staging_only(manifest, models):
    for name, node in models.items():
        if layer(node) == "staging":
            for kind, parent in parents(manifest, node):
                assert kind == "source" or "stg_" in parent, f"{name} reads {parent}"


def test_marts_read_dimensions_and_facts_only(manifest, models):
    for name, node in models.items():
        if layer(node) == "marts":
            for kind, parent in parents(manifest, node):
                assert kind == "model", f"{name} reads {kind} {parent}"
                assert layer(models[parent.split(".")[-1]]) == "dimensional", f"{name} reads {parent}"


def test_lists_follow_from_seeds_alone(manifest, models):
    """They are built only when a seed or they themselves changed (warehouse.building.parts)."""
    lists = {name for name, node in models.items() if "/lists/" in node["path"]}
    for name in lists:
        for kind, parent in parents(manifest, models[name]):
            assert kind == "seed" or parent.split(".")[-1] in lists, f"{name} reads {parent}"


def test_steps_are_read_by_what_they_lead_to_and_its_other_steps_alone(manifest, models):
    steps = {name for name, node in models.items() if layer(node) == "intermediate"}
    for name, node in models.items():
        read = {parent.split(".")[-1] for _, parent in parents(manifest, node, "model")} & steps
        goals = {models[step]["config"]["meta"].get("step_to") for step in read} - {None}
        assert not read or name in steps or name in goals, name
    for step in steps:
        goal = models[step]["config"]["meta"].get("step_to")
        assert goal is None or goal in models, step


def test_what_a_crash_empties_is_made_again_by_every_build(models):
    for name, node in models.items():
        if node["config"].get("unlogged"):
            assert layer(node) == "intermediate" and "/lists/" not in node["path"], name


def test_every_model_opens_with_its_grain(models):
    for name, node in models.items():
        assert node["raw_code"].startswith("-- Grain: one row per "), name
        assert node["description"].startswith("Grain: one row per "), name


def test_grain_in_sql_and_in_yaml_agree(models):
    for name, node in models.items():
        comment = re.sub(r"\n-- ", " ", node["raw_code"]).splitlines()[0]
        grain = node["description"].split("Grain: one row per ")[1].split(".")[0].split(":")[0].split(",")[0]
        assert grain in comment, f"{name}: {grain!r} is not in {comment!r}"


def test_every_column_is_described(manifest):
    for node in manifest["nodes"].values():
        if node["resource_type"] in ("model", "seed"):
            assert node["columns"], node["name"]
            for column in node["columns"].values():
                assert column["description"], f"{node['name']}.{column['name']}"


def test_every_seed_column_is_described_and_typed(manifest):
    for node in manifest["nodes"].values():
        if node["resource_type"] == "seed":
            with (PROJECT / "seeds" / f"{node['name']}.csv").open() as file:
                header = next(csv.reader(file))
            assert list(node["columns"]) == header, node["name"]
            assert list(node["config"]["column_types"]) == header, node["name"]


def test_staging_views_describe_the_columns_that_they_select(models):
    for name, node in models.items():
        if layer(node) == "staging":
            select = node["raw_code"].split("\nfrom ")[0]
            for column in node["columns"]:
                assert re.search(rf"\b{column}\b", select), f"{name} does not select {column}"


def test_the_star_is_released_under_an_enforced_contract(models):
    for name, node in models.items():
        if layer(node) not in RELEASED:
            continue
        config = node["config"]
        assert config["incremental_strategy"] == "release", name
        assert config["contract"]["enforced"] is True, name
        assert config["full_refresh"] is False, name
        assert config["on_schema_change"] == "fail", name
        assert list(node["columns"])[-2:] == ["release_from", "release_to"], name
        assert "release_columns()" in node["raw_code"], name


def test_primary_key_is_the_unique_key_and_the_release(models):
    for name, node in models.items():
        if layer(node) not in RELEASED:
            continue
        keys = [one["columns"] for one in node["constraints"] if one["type"] == "primary_key"]
        assert keys == [[*node["config"]["unique_key"], "release_from"]], name


def test_facts_are_keyed_by_the_unit_first(models):
    """Except fct_indicator, whose subject may be a region."""
    for name, node in models.items():
        if name.startswith("fct_") and name != "fct_indicator":
            assert node["config"]["unique_key"][0] == "organization_key", name


def test_every_released_model_declares_its_scope(models):
    for name, node in models.items():
        if layer(node) in RELEASED:
            assert node["config"]["meta"]["scope"] in ("report", "period", "following_periods", "all"), name
            if node["config"]["meta"]["scope"] != "all":
                assert "in_scope(" in node["raw_code"] or "reported_values()" in node["raw_code"], name


def test_the_star_holds_nothing_that_says_who_a_person_is(models):
    """Hashes of persons end in staging: facts of cards count persons in cells."""
    forms = load_forms().values()
    hidden = {f"{person.code}_key" for form in forms if form.cards for person in form.cards.persons}
    # The day of birth is the event itself where births are counted.
    hidden |= {field.code for form in forms for field in form.fields if field.personal} - {"birth_date"}
    assert {"patient_key", "id_no", "name", "medical_record_no"} <= hidden
    for name, node in models.items():
        if layer(node) != "staging":
            assert not hidden & set(node["columns"]), name


def measures(models):
    """What the facts say of their columns: (fact, column, form, field, additivity)."""
    for name, node in models.items():
        checked = node["config"]["meta"].get("checked", {})
        for column, fields in checked.get("measures", {}).items():
            for field in [fields] if isinstance(fields, str) else fields:
                additivity = node["columns"][column]["meta"].get("additivity")
                yield (name, column, *field.split("."), additivity)


def test_every_number_of_a_form_is_in_the_fact_of_its_process(models):
    found = {(form, field) for _, _, form, field, _ in measures(models)}
    # Cases and deaths may come in files of their own, which meta.checked cannot say.
    found |= {("idr_monthly", column) for column in models["fct_notifiable_disease"]["columns"]}
    found.add(("idr_monthly", "cases_same_month_ly"))
    wanted = {(form.code, field.code) for form in load_forms().values() for field in form.measures}
    assert wanted - found == set()


def test_what_may_not_be_added_over_time_says_so(models):
    forms = load_forms()
    for fact, column, form, field, additivity in measures(models):
        if forms[form].by_code[field].nature in ("stock", "cumulative"):
            assert additivity in ("semi-additive", "non-additive"), (fact, column)
        else:
            assert additivity in (None, "non-additive"), (fact, column)


def test_no_merge_and_no_rollup():
    for file in PROJECT.rglob("*.sql"):
        code = re.sub(r"\{#.*?#\}", "", file.read_text(), flags=re.DOTALL)
        code = re.sub(r"--.*", "", code)
        assert not re.search(r"\b(merge into|rollup|grouping sets|cube)\b", code, flags=re.IGNORECASE), file


def test_the_project_holds_no_secret_and_sends_nothing():
    profile = yaml.safe_load((PROJECT / "profiles.yml").read_text())["warehouse"]["outputs"]["builder"]
    assert re.fullmatch(r"\{\{ env_var\('DBT_ENV_SECRET_BUILDER', ''\) \}\}", profile["password"])
    assert (
        yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["flags"]["send_anonymous_usage_stats"]
        is False
    )


def rows(seed):
    """Rows of a seed."""
    with (PROJECT / "seeds" / f"{seed}.csv").open() as file:
        return list(csv.DictReader(file))


def test_disease_seed_is_the_code_list_of_the_form():
    listed = yaml.safe_load((FORMS / "code_lists" / "disease.yml").read_text())["codes"]
    wanted = {
        (code["code"], str(spell.get("valid_from") or ""), str(spell.get("valid_to") or ""), spell["class"],
         spell.get("parent") or "", code["labels"][0])
        for code in listed
        for spell in code.get("memberships", [code])
    }  # fmt: skip
    found = {
        (row["disease_code"], row["valid_from"], row["valid_to"], row["disease_class"], row["parent_code"],
         row["name_zh"])
        for row in rows("disease")
    }  # fmt: skip
    assert found == wanted


def test_indicators_are_made_of_fields_that_the_forms_have():
    def fields(form):
        definition = yaml.safe_load((FORMS / f"{form}.yml").read_text())
        own = {field["code"] for field in definition["fields"]}
        for include in definition.get("include", []):
            own |= fields(include["form"])
        return own

    # What macros/indicator_inputs.sql counts beside the numbers of the forms.
    counted = {
        "directory": {"unit", "township_with_public_centre"},
        "map": {"township", "county"},
        "certification_register": {"granted", "valid", "valid_in_county"},
        "task_progress": {"done", "denominator", "done*denominator", "done_in_county"},
    }
    for row in rows("indicator_part"):
        if row["form_code"] in counted:
            assert row["field_code"] in counted[row["form_code"]], row
            continue
        named = [] if row["field_code"] == "*" else row["field_code"].removeprefix("distinct ").split("*")
        named += [re.split(r"[=<>?]", term)[0] for term in row["condition"].split("&") if term]
        named += [row["about"]] if row["about"] else []
        for name in named:
            # A field that a form repeats carries its number.
            assert {name, re.sub(r"_\d$", "", name)} & fields(row["form_code"]), row


def test_indicator_seeds_refer_to_each_other():
    indicators = {row["indicator_code"]: row for row in rows("indicator")}
    slices = {row["slice"] for row in rows("slice")}
    for row in rows("indicator_part"):
        assert row["slice_rule"] in {"own", "parent", *slices}, row
        assert row["over_time"] in {"sum", "last", "before_last"}, row
        assert row["slice"] in {"", *slices}, row
    for seed in ("indicator_part", "indicator_slice", "headline"):
        assert {row["indicator_code"] for row in rows(seed)} <= set(indicators), seed
    assert {row["slice"] for row in rows("indicator_slice")} <= slices
    parts = {(row["indicator_code"], row["part"]) for row in rows("indicator_part")}
    computed = {row["indicator_code"] for row in rows("indicator_part")}
    for code, row in indicators.items():
        # The others are known from the plans alone.
        if code not in computed:
            continue
        assert (code, "numerator") in parts, code
        assert ((code, "denominator") in parts) == bool(row["denominator"]), code
        assert any(one["indicator_code"] == code for one in rows("indicator_slice")), code


def test_plan_figures_name_known_indicators_and_slices():
    indicators = {row["indicator_code"] for row in rows("indicator")}
    slices = {row["slice"] for row in rows("slice")}
    plans = {row["plan_code"] for row in rows("plan")}
    figures = rows("plan_figure")
    assert len(figures) == 318
    for row in figures:
        assert row["plan_code"] in plans, row
        assert row["indicator_code"] in indicators, row
        assert row["slice"] in slices, row
        assert row["quote"], row
        assert bool(row["value"]) == bool(row["decimals"]), row
    assert len({(row["plan_code"], row["figure_no"]) for row in figures}) == len(figures)


def test_plan_figures_are_quoted_from_the_published_texts(shared_data):
    texts = {path.name[:3]: path for path in (shared_data.parent / "domain" / "plans").glob("*.txt")}
    documents = {row["plan_code"]: row["document_no"] for row in rows("plan")}
    for row in rows("plan_figure"):
        text = "".join(texts[documents[row["plan_code"]]].read_text().split())
        assert "".join(row["quote"].split()) in text, row


def test_a_stock_or_a_running_total_is_never_added_up_over_time():
    classes = {row["indicator_code"]: row["aggregation_class"] for row in rows("indicator")}
    # This year's stock less last year's.
    grown = {
        row["indicator_code"]
        for row in rows("indicator_part")
        if row["coefficient"] == "-1" and row["year_offset"]
    }
    # What was due in a year: what was done before its last month, and what was due then.
    left_over = {
        (row["indicator_code"], row["period_type"], row["part"])
        for row in rows("indicator_part")
        if row["over_time"] == "before_last"
    }
    forms = load_forms()
    for row in rows("indicator_part"):
        stock = classes[row["indicator_code"]] in ("ST", "RS_END", "MS") or row["indicator_code"] in grown
        is_form = row["form_code"] in forms
        form = forms[row["form_code"]] if is_form else None
        field = form.by_code.get(row["field_code"]) if form else None
        running = form is not None and (
            form.period.type == "cumulative_quarter"
            # Within its own period a running total is the number itself.
            or (field is not None and field.nature == "cumulative" and row["period_type"] != form.period.type)
        )
        if (row["indicator_code"], row["period_type"], row["part"]) in left_over:
            assert (row["over_time"] == "last") == (field is not None and field.nature == "stock"), row
            continue
        assert (row["over_time"] == "last") == (stock or running), row
