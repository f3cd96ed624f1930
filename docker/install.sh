#!/usr/bin/env bash
# Installs the warehouse into a new virtual environment, exactly as locked and without the development tools.
#
#   docker/install.sh PREFIX [dependencies|project]
#
# The image is made by this script and CI runs it too. Without the second word it does both steps, then starts
# every program once. Nothing is compiled: every package must come as a wheel.
set -euo pipefail

prefix=${1:?usage: docker/install.sh PREFIX [dependencies|project]}
step=${2:-all}
source=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

dependencies() {
    "${PYTHON:-python3}" -m venv "$prefix"
    "$prefix/bin/python" -m pip install --quiet --require-hashes --no-deps --only-binary :all: \
        --requirement "$source/docker/installer.txt"
    "$prefix/bin/python" "$source/docker/runtime_lock.py" "$source/requirements.lock" >"$prefix/runtime.lock"
    "$prefix/bin/uv" pip install --quiet --python "$prefix/bin/python" --require-hashes --no-deps --no-build \
        --compile-bytecode --requirement "$prefix/runtime.lock"
}

project() {
    # Editable, because dbt and the DAGs are read from the checkout; the build tools come from the lock.
    "$prefix/bin/uv" pip install --quiet --python "$prefix/bin/python" --no-deps --no-build-isolation \
        --editable "$source"
    "$prefix/bin/python" -m compileall -q "$source"/{dags,docker,expectations,ingestion,samples,warehouse}
}

check() {
    # A home of its own, so that no configuration of the machine helps.
    local home
    home=$(mktemp -d)
    trap 'rm -rf "$home"' RETURN
    local run=(env -i "HOME=$home" "AIRFLOW_HOME=$home/airflow" "PATH=$prefix/bin:/usr/bin:/bin" LANG=C.UTF-8 DO_NOT_TRACK=1)
    "${run[@]}" warehouse --help >/dev/null
    "${run[@]}" dbt --version >/dev/null
    "${run[@]}" airflow version
    "${run[@]}" python -c "import airflow.providers.celery.executors.celery_executor, airflow.providers.fab.www.app"
    "${run[@]}" python "$source/docker/commands.py"
}

case $step in
    dependencies) dependencies ;;
    project) project ;;
    all) dependencies && project && check ;;
    *) echo "unknown step: $step" >&2 && exit 2 ;;
esac
