"""What people are told of: failures that nobody has been told of before, grouped by check.

A failure is a check at a place. It is told once, and again only if it was mended and came back. What a waiver covers
is not told; when the waiver has expired, it is. Where sending fails, the next audit tells it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, Engine, text

from expectations.results import CheckResult, Verdict, last_verdict

log = structlog.get_logger()

EXAMPLES = 3
"""Places that a message names for one check."""

_FAILING = """
create temp table failing on commit drop as
select finding.check_id, finding.key, result.severity
from audit.finding as finding
inner join audit.check_result as result
    on finding.release_id = result.release_id and finding.attempt = result.attempt
        and finding.check_id = result.check_id
where finding.release_id = :release and finding.attempt = :attempt and result.status = 'failed'
    and finding.score > finding.threshold and finding.waiver is null
union
select result.check_id, '' as key, result.severity
from audit.check_result as result
where result.release_id = :release and result.attempt = :attempt and result.status not in ('passed', 'not_applicable')
    and not exists (
        select from audit.finding as finding
        where finding.release_id = :release and finding.attempt = :attempt and finding.check_id = result.check_id
            and finding.score > finding.threshold
    )
"""

_GONE = """
update audit.alarm set gone_at = now()
where gone_at is null and (check_id, key) not in (select check_id, key from failing)
"""

_RAISE = """
insert into audit.alarm (check_id, key, severity, first_release)
select check_id, key, severity, :release from failing
on conflict (check_id, key) do update
    set first_release = excluded.first_release, severity = excluded.severity, raised_at = now(), sent_at = null,
        gone_at = null
    where audit.alarm.gone_at is not null
"""

_UNTOLD = """
select check_id, key from audit.alarm where sent_at is null and gone_at is null order by severity, check_id, key
"""


@dataclass(frozen=True)
class Alarm:
    """New failures of one audit, and how many were known."""

    release_id: int
    passed: bool
    new: dict[str, tuple[str, ...]]
    """Keys by check; a key is empty where a check broke as a whole."""
    known: int
    checks: dict[str, CheckResult]

    def text(self) -> str:
        """The message: what is new, check by check, with the first places and who mends it."""
        count = sum(map(len, self.new.values()))
        head = (
            f"数据质量 release {self.release_id}：{count} 项新问题 new failures，{self.known} 项已知 known"
            + ("" if self.passed else "；未发布 not published")
        )
        return "\n".join([head, *(self._line(check_id, keys) for check_id, keys in self.new.items())])

    def _line(self, check_id: str, keys: tuple[str, ...]) -> str:
        check = self.checks.get(check_id)
        about = f"{check.message_zh} / {check.message_en}" if check else ""
        who = f" [{check.severity} → {check.owner or 'engineer'}]" if check else ""
        places = "; ".join(key for key in keys[:EXAMPLES] if key)
        more = f" (+{len(keys) - EXAMPLES})" if len(keys) > EXAMPLES else ""
        return f"• {check_id}{who}: {about}" + (f"\n  {places}{more}" if places else "")


def tell(auditor: Engine, send: Callable[[Alarm], None], release_id: int | None = None) -> Alarm | None:
    """Send what is new in the last audit, in one message; returns it, or None when there is nothing to tell.

    What ``send`` raises goes on: nothing is marked as told then.
    """
    verdict = last_verdict(auditor, release_id)
    if verdict is None:
        return None
    with auditor.begin() as connection:
        alarm = _alarm(connection, verdict)
    if alarm is None:
        return None
    send(alarm)
    with auditor.begin() as connection:
        connection.execute(
            text("update audit.alarm set sent_at = now() where sent_at is null and gone_at is null")
        )
    log.info("alarm sent", release=alarm.release_id, checks=list(alarm.new), known=alarm.known)
    return alarm


def _alarm(connection: Connection, verdict: Verdict) -> Alarm | None:
    here = {"release": verdict.release_id, "attempt": verdict.attempt}
    connection.execute(text("select pg_advisory_xact_lock(hashtext('warehouse.alarm'))"))
    connection.execute(text(_FAILING), here)
    connection.execute(text(_GONE))
    connection.execute(text(_RAISE), here)
    new: dict[str, tuple[str, ...]] = {}
    for row in connection.execute(text(_UNTOLD)):
        new[row.check_id] = (*new.get(row.check_id, ()), row.key)
    if not new:
        return None
    standing = connection.scalar(text("select count(*) from audit.alarm where gone_at is null")) or 0
    known = int(standing) - sum(map(len, new.values()))
    return Alarm(
        verdict.release_id,
        verdict.passed,
        new,
        known,
        {result.check_id: result for result in verdict.results},
    )
