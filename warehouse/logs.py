"""Structured logs: coloured lines for a person, JSON lines for a collector."""

import logging
import sys

import structlog

from warehouse.settings import get_settings


def configure_logs() -> None:
    """Set up structlog for this process; call it once at an entry point."""
    settings = get_settings()
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if settings.log_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.log_level]
        ),
        # Looked up at each call: whoever captures standard error must not leave a closed file behind.
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )
