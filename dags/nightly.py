"""# nightly: the night's load, 01:30 Asia/Shanghai

Takes in what lies in the inboxes, builds a candidate release, has the gate audit it, publishes it.
BI reads the last release until the new one is published in a single step; there is no half-loaded night.

    begin ─ prepare ─ receive (a lane per source) ─ rejudge ─ open ─ build ─ audit ─┬─ publish ─┬─ pages ─ finish
                                                                                    └─ reject ──┘

## When it is red

`finish` fails whenever anything did, and its message names the stage, the source and the reason; it is sent to the
webhooks and readers of the settings.
What could be published has been published. Look first at `warehouse status`.

- `prepare`: a form or the site folder has a mistake; the message names file and line. Mend it, run again.
- `receive` of one source: its inbox cannot be reached, or a file broke the intake; the other sources went on.
  Mend the cause; the next night takes the same files up again.
- `rejudge`: kept files that waited for a form, a unit or a waiver could not be read again; the rest went on.
- `open`: another run works on a candidate (wait), or a release was undone and nobody has decided yet
  (`warehouse release redo` or `resume`).
- `build`: dbt failed; the message names the model. Mend the model, run again.
- `audit`: a critical check failed. Nothing was published, BI has the last release. See `warehouse checks`, then
  the Data Docs; then mend the report, the model, or in review the check. Warnings can be waived (`gate_waivers.yml`).
  What is new is told to the webhooks and readers of the settings, once.
- `quality_pages`, `model_pages`: pages for people could not be written; the data are not affected.

A bad report is no failure: it is quarantined with its findings (`warehouse quarantine`), the rest goes on.

## Running it again

Always safe, also after a power cut: clear the run here, or `warehouse nightly`. Files are recognised by
their content, a candidate left behind is cleared and taken over, nothing needs cleaning up by hand.
Nothing changed means nothing is built and nothing published.

The first night after `warehouse up` is the next 01:30; after that, a night that was missed is made up for once.

Publishing emits the asset `warehouse://published`; schedule downstream DAGs on it.
"""

from datetime import timedelta
from typing import Any

from airflow.sdk import CronTriggerTimetable, TriggerRule, dag, get_current_context, setup, task, teardown
from airflow.sdk.exceptions import AirflowSkipException

from dags import stages
from dags.notifiers import FailedRun, NewFailures
from dags.policy import PUBLISHED, RUN_ID, default_args, failed_tasks, step
from warehouse.settings import get_settings


@dag(
    dag_id="nightly",
    schedule=CronTriggerTimetable("30 1 * * *", timezone=get_settings().timezone),
    catchup=False,
    max_active_runs=1,
    dagrun_timeout=timedelta(hours=6),
    default_args=default_args(),
    doc_md=__doc__,
    tags=["load", "release"],
)
def nightly() -> None:
    """Wire the night."""

    @setup
    @task
    @step
    def begin(run: str) -> None:
        stages.begin(run, "nightly")

    @task
    @step
    def prepare(run: str) -> list[str]:
        return stages.prepare(run)

    @task(map_index_template="{{ task.op_kwargs['source'] }}")
    @step
    def receive(run: str, source: str) -> dict[str, Any]:
        return stages.receive(run, source)

    @task(trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS)
    @step
    def rejudge(run: str) -> dict[str, Any]:
        return stages.rejudge(run)

    # A failed source must not stop the night, a failed preparation must. Nothing changed: all but finish is skipped.
    # It tries longer than others: a chunk of a reload may be at work on its candidate.
    @task.short_circuit(
        task_id="open",
        trigger_rule=TriggerRule.ALL_DONE_MIN_ONE_SUCCESS,
        retries=5 * get_settings().task_retries,
    )
    @step
    def open_candidate(run: str) -> dict[str, Any] | None:
        return stages.open_candidate(run)

    @task
    @step
    def build(run: str, candidate: dict[str, Any]) -> dict[str, Any]:
        return stages.build(run, candidate)

    @task(on_success_callback=[NewFailures()], on_failure_callback=[NewFailures()])
    @step
    def audit(run: str, candidate: dict[str, Any]) -> dict[str, Any]:
        return stages.audit(run, candidate)

    @task(outlets=[PUBLISHED])
    @step
    def publish(run: str, candidate: dict[str, Any]) -> int:
        return stages.publish(run, stages.mark(run, candidate))

    @task(trigger_rule=TriggerRule.ONE_FAILED)
    @step
    def reject(run: str, candidate: dict[str, Any] | None) -> None:
        if candidate is None:
            raise AirflowSkipException("No candidate was opened.")
        stages.reject(run, candidate)

    @task(trigger_rule=TriggerRule.ONE_SUCCESS)
    @step
    def quality_pages(run: str) -> None:
        stages.quality_pages(run)

    @task(trigger_rule=TriggerRule.ALL_SUCCESS)
    @step
    def model_pages(run: str) -> None:
        stages.model_pages(run)

    @teardown(on_failure_fail_dagrun=True)
    @task(retries=0, on_failure_callback=[FailedRun()])
    @step
    def finish(run: str) -> str:
        return stages.finish(run, failed_tasks(get_current_context()))

    prepared = prepare(RUN_ID)
    lanes = receive.partial(run=RUN_ID).expand(source=prepared)
    again = rejudge(RUN_ID)
    candidate = open_candidate(RUN_ID)
    built = build(RUN_ID, candidate)
    audited = audit(RUN_ID, built)
    published = publish(RUN_ID, audited)
    rejected = reject(RUN_ID, candidate)
    quality, models, end = quality_pages(RUN_ID), model_pages(RUN_ID), finish(RUN_ID)

    begun = begin(RUN_ID)
    begun >> prepared
    [prepared, lanes] >> again
    [prepared, lanes, again] >> candidate
    [built, audited, published] >> rejected
    [published, rejected] >> quality
    published >> models
    [begun, rejected, quality, models] >> end


nightly()
