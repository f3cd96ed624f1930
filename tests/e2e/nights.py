"""A night stage by stage in this process: what the DAG calls, without Airflow around it."""

from dags import stages


def receive(run_id: str) -> dict | None:
    """Take in what waits and open a candidate; None when nothing changed."""
    stages.begin(run_id, "nightly")
    for source in stages.prepare(run_id):
        stages.receive(run_id, source)
    return stages.open_candidate(run_id)


def night(run_id: str) -> int | None:
    """The whole night; the release that it published, None when nothing changed."""
    candidate = receive(run_id)
    if candidate:
        passed = stages.audit(run_id, stages.build(run_id, candidate))
        release = stages.publish(run_id, stages.mark(run_id, passed))
    else:
        release = None
    stages.finish(run_id, [])
    return release
