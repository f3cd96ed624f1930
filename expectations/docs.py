"""Data Docs: the last audit as a static site that Great Expectations renders from the stored results.

It stands off the critical path: nothing waits for it, and it can be built again at any time.
"""

import html
import re
import shutil
from collections import defaultdict
from pathlib import Path

import structlog

from expectations.results import CheckResult, Verdict, last_verdict
from warehouse.database import Role, make_engine
from warehouse.settings import Settings

log = structlog.get_logger()

_FOREIGN = [
    re.compile(pattern, re.DOTALL)
    for pattern in (
        r"<script\b.*?</script>",
        r'<link\b[^>]*href="https?:[^>]*>',
        r'<img\b[^>]*src="https?:[^>]*>',
        r"<button\b.*?</button>",
        r"<footer>.*?</footer>",
    )
]

_STYLE = """
body {font: 15px/1.5 system-ui, "Noto Sans CJK SC", "Microsoft YaHei", sans-serif; margin: 1.5rem; color: #222}
table {border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem}
td, th {border: 1px solid #ccc; padding: .35rem .6rem; text-align: left; vertical-align: top}
td {overflow-wrap: anywhere} td:nth-child(2) {min-width: 14rem} summary {white-space: nowrap}
code {font-size: 13px; overflow-wrap: anywhere}
.fa-check-circle::before, .fa-check::before {content: "✓"; color: #177245; font-weight: bold}
.fa-times::before, .fa-exclamation-triangle::before {content: "✗"; color: #b00020; font-weight: bold}
nav, .navbar, .modal, .sticky {display: none}
"""

_INDEX = """<!doctype html>
<html lang="zh"><head><meta charset="utf-8"><title>{title}</title>
<link rel="stylesheet" href="static/gate.css"></head><body>
<h1>{title}</h1><p>{line}</p>
<h2>Not passed 未通过</h2>
<table><tr><th>Severity</th><th>Check</th><th>Meaning</th><th>Observed</th><th>Where to look</th></tr>{failed}</table>
<h2>Suites 检查集</h2>
<table><tr><th>Suite</th><th>Passed / declared</th></tr>{suites}</table>
</body></html>
"""


def build(settings: Settings) -> Path | None:
    """Build the site below ``settings.artifacts``; returns its first page, or None before the first audit."""
    auditor = make_engine(settings, Role.AUDITOR)
    try:
        verdict = last_verdict(auditor)
    finally:
        auditor.dispose()
    if verdict is None:
        return None
    site = settings.artifacts / "data_docs"
    fresh = site.with_name(".data_docs.fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    _render(verdict, fresh)
    _make_self_contained(fresh)
    (fresh / "index.html").write_text(_index(verdict, fresh), encoding="utf-8")
    # The old site stays whole until the new one is.
    old = site.with_name(".data_docs.old")
    shutil.rmtree(old, ignore_errors=True)
    if site.exists():
        site.rename(old)
    fresh.rename(site)
    shutil.rmtree(old, ignore_errors=True)
    log.info("data docs built", release=verdict.release_id, site=str(site))
    return site / "index.html"


def _render(verdict: Verdict, folder: Path) -> None:
    from expectations import custom  # noqa: I001, PLC0415 - slow, and turns analytics off first
    import great_expectations as gx  # noqa: PLC0415
    from great_expectations.core import (  # noqa: PLC0415
        ExpectationSuiteValidationResult,
        ExpectationValidationResult,
        RunIdentifier,
    )
    from great_expectations.data_context.types.resource_identifiers import (  # noqa: PLC0415
        ExpectationSuiteIdentifier,
        ValidationResultIdentifier,
    )

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    context.add_data_docs_site(
        "audit",
        {
            "class_name": "SiteBuilder",
            "site_name": f"release {verdict.release_id}",
            "show_how_to_buttons": False,
            "store_backend": {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(folder)},
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder", "show_cta_footer": False},
        },
    )
    run = RunIdentifier(
        run_name=f"release-{verdict.release_id}-attempt-{verdict.attempt}", run_time=verdict.audited_at
    )
    for suite_name, results in _by_suite(verdict).items():
        expectations = [
            custom.ExpectDeclaredCheckToPass(
                check_id=result.check_id, severity=result.severity, description=_description(result)
            )
            for result in results
        ]
        # All at once: a suite that the context knows is written anew with each expectation that is added.
        context.suites.add(gx.ExpectationSuite(suite_name, expectations=list(expectations)))
        shown = [
            ExpectationValidationResult(
                success=result.is_fine,
                expectation_config=expectation.configuration,
                result={"observed_value": _observed(result)},
                meta={},
                exception_info={
                    "raised_exception": False,
                    "exception_message": None,
                    "exception_traceback": None,
                },
            )
            for result, expectation in zip(results, expectations, strict=True)
        ]
        passed = sum(result.is_fine for result in results)
        context.validation_results_store.add(
            ValidationResultIdentifier(
                expectation_suite_identifier=ExpectationSuiteIdentifier(suite_name),
                run_id=run,
                batch_identifier=f"candidate.{suite_name}",
            ),
            ExpectationSuiteValidationResult(
                success=passed == len(results),
                results=shown,
                suite_name=suite_name,
                statistics={
                    "evaluated_expectations": len(results),
                    "successful_expectations": passed,
                    "unsuccessful_expectations": len(results) - passed,
                    "success_percent": 100 * passed / len(results),
                },
                meta={"run_id": run, "active_batch_definition": {"data_asset_name": suite_name}},
            ),
        )
    context.build_data_docs(site_names=["audit"])


def _make_self_contained(site: Path) -> None:
    """Let the pages need nothing from the internet: no styles, no scripts, no pictures that report the reader."""
    (site / "static" / "gate.css").write_text(_STYLE, encoding="utf-8")
    for page in site.rglob("*.html"):
        markup = page.read_text(encoding="utf-8")
        for pattern in _FOREIGN:
            markup = pattern.sub("", markup)
        up = "../" * (len(page.relative_to(site).parts) - 1)
        style = f'<link rel="stylesheet" href="{up}static/gate.css">'
        page.write_text(markup.replace("</head>", f"{style}</head>", 1), encoding="utf-8")


def _index(verdict: Verdict, site: Path) -> str:
    """First page: what did not pass, then every suite with its page."""
    pages = {
        page.parts[-4]: page.relative_to(site).as_posix() for page in site.glob("validations/*/*/*/*.html")
    }
    suites = "".join(
        f'<tr><td><a href="{pages[name]}">{html.escape(name)}</a></td>'
        f"<td>{sum(r.is_fine for r in results)} / {len(results)}</td></tr>"
        for name, results in _by_suite(verdict).items()
    )
    failed = "".join(
        f"<tr><td>{result.severity}</td><td>{html.escape(result.check_id)}</td>"
        f"<td>{html.escape(result.message_zh)}<br>{html.escape(result.message_en)}</td>"
        f"<td>{_observed(result)}</td><td>{_look(result)}</td></tr>"
        for result in verdict.failed
    )
    word = "passed 通过" if verdict.passed else "failed 未通过"
    when = f"{verdict.audited_at:%Y-%m-%d %H:%M %Z}" if verdict.audited_at else ""
    return _INDEX.format(
        title=f"Release {verdict.release_id}: {word}",
        line=html.escape(
            f"{when}, attempt {verdict.attempt}: "
            + ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in verdict.counts.items())
        ),
        failed=failed or '<tr><td colspan="5">none 无</td></tr>',
        suites=suites,
    )


def _look(result: CheckResult) -> str:
    if not result.failing_query:
        return ""
    return f"<details><summary>SQL</summary><code>{html.escape(result.failing_query)}</code></details>"


def _by_suite(verdict: Verdict) -> dict[str, list[CheckResult]]:
    suites: defaultdict[str, list[CheckResult]] = defaultdict(list)
    for result in verdict.results:
        suites[result.suite].append(result)
    return dict(sorted(suites.items()))


def _description(result: CheckResult) -> str:
    who = f", {result.owner}" if result.owner else ""
    lines = [f"{result.check_id} ({result.severity}{who})"]
    if result.question:
        lines.append(f"{result.question} [{result.scope}]")
    lines.append(f"{result.message_zh} / {result.message_en}")
    if result.expected:
        lines.append(result.expected)
    if not result.is_fine and result.failing_query:
        lines.append(result.failing_query)
    # Rendered as a template and as HTML: neither may read anything into our text.
    return "<br>".join(html.escape(line).replace("$", "$$") for line in lines)


def _observed(result: CheckResult) -> str:
    rows = "" if result.failing_rows is None else f", {result.failing_rows} rows"
    if result.denominator:
        rows += f" of {result.denominator}"
    if result.waived_rows:
        rows += f", {result.waived_rows} waived"
    observed = f": {result.observed}" if result.observed else ""
    return html.escape(f"{result.status}{rows}{observed}")
