"""# backfill: reload past periods through today's forms and rules

A rule was mended, an indicator redefined, a form's labels extended: reports of past periods are read again
from the files that are kept, checked again, and published again, chunk by chunk (a year or a month), each
chunk through the same candidate → build → audit → publish as a night. Nights go on meanwhile.

Trigger it here, or with `warehouse backfill`. It is a dry run unless told otherwise: the task `plan` lists
what would change, chunk by chunk, and writes nothing. Read it, then trigger again with `dry_run` off.

- `from`, `to`: first and last day of the periods, both inclusive
- `chunk`: size of a chunk, `year` or `month`
- `forms`: form codes; empty means all
- `units`: directory codes of units, or region codes; empty means all
- `touch`: rebuild also the reports that read the same as before (a model or an indicator was redefined)
- `reason`: why; kept with every revision and change that follows
- `dry_run`: plan only (default)

## When it is red

`finish` names the chunk and the reason. Chunks before it are published and stay so; a chunk that failed was
rejected and changed nothing for BI. Mend the cause and trigger the same again: what is done is recognised
as unchanged and costs little. `warehouse release undo` takes a published chunk back.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any

from airflow.sdk import Param, dag, get_current_context, setup, task, teardown
from airflow.sdk.exceptions import AirflowSkipException

from dags import stages
from dags.notifiers import FailedRun, NewFailures
from dags.policy import PUBLISHED, RUN_ID, default_args, failed_tasks, step
from warehouse.settings import get_settings

CODES = {"type": "array", "items": {"type": "string"}}


def scope(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What is read again, as ``ingestion.rederive`` wants it: None means all."""
    return {
        "forms": asked["forms"] or None,
        "units": asked["units"] or None,
        "reason": asked["reason"],
        "touch": asked["touch"],
    }


@dag(
    dag_id="backfill",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    default_args=default_args(),
    doc_md=__doc__,
    tags=["reload", "release"],
    params={
        "from": Param(type="string", format="date", title="First day"),
        "to": Param(type="string", format="date", title="Last day"),
        "chunk": Param("year", type="string", enum=["year", "month"], title="Size of a chunk"),
        "forms": Param([], title="Form codes; empty: all", **CODES),
        "units": Param([], title="Unit or region codes; empty: all", **CODES),
        "reason": Param(type="string", pattern=r"\S", title="Reason"),
        "touch": Param(False, type="boolean", title="Rebuild unchanged reports, too"),
        "dry_run": Param(True, type="boolean", title="Plan only"),
    },
)
def backfill() -> None:
    """Wire the reload."""

    @setup
    @task
    @step
    def begin(run: str) -> None:
        stages.begin(run, "backfill")

    @task
    @step
    def prepare(run: str) -> None:
        stages.prepare(run)

    @task
    @step
    def plan(run: str) -> list[dict[str, str]]:
        asked = get_current_context()["params"]
        chunks = stages.plan_reload(
            run,
            first=date.fromisoformat(asked["from"]),
            last=date.fromisoformat(asked["to"]),
            by=asked["chunk"],
            scope=scope(asked),
        )
        return [] if asked["dry_run"] else chunks

    # One chunk at a time: there is one candidate. It tries longer than others: a night may be at work on its own.
    @task(
        max_active_tis_per_dagrun=1,
        retries=5 * get_settings().task_retries,
        outlets=[PUBLISHED],
        map_index_template="{{ task.op_kwargs['chunk']['from'] }}",
    )
    @step
    def reload(run: str, chunk: dict[str, str]) -> int:
        release = stages.reload(run, chunk, scope(get_current_context()["params"]))
        if release is None:
            raise AirflowSkipException("Nothing changed in this chunk.")
        return release

    @teardown(on_failure_fail_dagrun=True)
    # One message for the whole reload: what a chunk left is still there at the last one.
    @task(retries=0, on_success_callback=[NewFailures()], on_failure_callback=[FailedRun(), NewFailures()])
    @step
    def finish(run: str) -> str:
        return stages.finish(run, failed_tasks(get_current_context()))

    chunks = plan(RUN_ID)
    begun = begin(RUN_ID)
    begun >> prepare(RUN_ID) >> chunks
    [begun, reload.partial(run=RUN_ID).expand(chunk=chunks)] >> finish(RUN_ID)


backfill()
