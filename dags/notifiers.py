"""Airflow notifiers of the gate: one message for what is new, to chat groups and by e-mail.

Set as callbacks of the audit. ``WAREHOUSE_ALARM_WEBHOOKS`` names incoming webhooks of WeCom or DingTalk groups (both
take the same text message); ``WAREHOUSE_ALARM_EMAILS`` names readers, who get it through Airflow's SMTP connection
``smtp_default``. Without either, what is new is only logged.
"""

# ruff: noqa: PLC0415 - the rooms are imported when there is something to tell

import html
import json
from typing import Any
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
    """Tells of failures that nobody has been told of; nothing to tell means no message."""

    def notify(self, context: Context) -> None:
        """Send what is new in the last audit."""
        from expectations import alarms

        alarms.tell(engine(Role.AUDITOR), lambda alarm: self._send(alarm, context))

    def _send(self, alarm: Any, context: Context) -> None:
        settings = get_settings()
        message = alarm.text()
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
            log.warning("nobody is told of new failures", message=message)


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
