"""Airflow notifiers: a run that failed, and what is new at the gate, to chat groups and by e-mail.

``WAREHOUSE_ALARM_WEBHOOKS`` names incoming webhooks of WeCom or DingTalk groups (both
take the same text message); ``WAREHOUSE_ALARM_EMAILS`` names readers, who get it through Airflow's SMTP connection
``smtp_default``. Without either, the message is only logged.
"""

# ruff: noqa: PLC0415 - the rooms are imported when there is something to tell

import html
import json
from urllib.request import Request, urlopen

import structlog
from airflow.sdk import BaseNotifier, Context

from warehouse.database import Role, engine
from warehouse.settings import get_settings

log = structlog.get_logger()

SECONDS = 10
"""How long a chat server may take to answer."""

LONGEST = 1800
"""Bytes of a text message that WeCom takes (2,048), with room for what was cut."""


class NewFailures(BaseNotifier):  # type: ignore[misc]
    """After an audit: failures that nobody has been told of; nothing to tell means no message."""

    def notify(self, context: Context) -> None:
        """Send what is new in the last audit."""
        from expectations import alarms

        alarms.tell(engine(Role.AUDITOR), lambda alarm: send(alarm.text(), context))


class FailedRun(BaseNotifier):  # type: ignore[misc]
    """After the last task of a run: that the run failed, with the stages and reasons which that task names."""

    def notify(self, context: Context) -> None:
        """Send the error of the task."""
        run = f"{context['dag'].dag_id} {context['run_id']}"
        send(f"数仓运行失败 run failed: {run}\n{context.get('exception')}\n→ warehouse status", context)


def send(message: str, context: Context) -> None:
    """Send a message to everyone that the settings name; the first line is its subject. Raises where one fails."""
    settings = get_settings()
    for webhook in settings.alarm_webhooks:
        post(webhook.get_secret_value(), message)
    if settings.alarm_emails:
        from airflow.providers.smtp.notifications.smtp import SmtpNotifier

        SmtpNotifier(
            to=list(settings.alarm_emails),
            subject=message.splitlines()[0],
            html_content=f"<pre>{html.escape(message)}</pre>",
        ).notify(context)
    if not (settings.alarm_webhooks or settings.alarm_emails):
        log.warning("nobody is told", message=message)


def post(webhook: str, message: str) -> None:
    """Post a text message to an incoming webhook; raises when the server refuses it."""
    body = json.dumps({"msgtype": "text", "text": {"content": _cut(message)}}, ensure_ascii=False).encode()
    request = Request(webhook, data=body, headers={"Content-Type": "application/json"})  # noqa: S310 - from settings
    with urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 - from settings
        said = json.loads(answer.read() or b"{}")
    # Both say so in the body when they refuse a message, with status 200.
    if said.get("errcode", 0) != 0:
        raise OSError(f"the chat server refused the message: {said.get('errcode')} {said.get('errmsg')}")


def _cut(message: str) -> str:
    whole = message.encode()
    if len(whole) <= LONGEST:
        return message
    return whole[:LONGEST].decode(errors="ignore") + "\n… warehouse checks"
