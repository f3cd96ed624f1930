"""The DAGs as Airflow itself loads them."""

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def bag(tmp_path_factory: pytest.TempPathFactory):
    """Bag of the DAG files; Airflow's own home is a temporary folder."""
    os.environ.setdefault("AIRFLOW_HOME", str(tmp_path_factory.mktemp("airflow")))
    os.environ.setdefault("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
    from airflow.dag_processing.dagbag import BundleDagBag

    folder = REPOSITORY / "dags"
    return BundleDagBag(folder, bundle_path=folder, bundle_name="dags-folder")
