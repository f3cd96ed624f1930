"""The command that puts constructed reports where nights find them."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from warehouse.cli.output import App, Json, console, print_json
from warehouse.errors import SettingsError
from warehouse.settings import Settings, get_settings

if TYPE_CHECKING:
    from samples.generator import Written


def register(app: App) -> None:
    """Add the command of this module."""
    app.command()(sample)


def sample(
    *,
    delivery: Annotated[
        Literal["main", "amendment", "nantong", "haian"],
        typer.Option(
            help="Which delivery of the shipped sample: Longhu's, its amendment, or a plan on top of it."
        ),
    ] = "main",
    if_missing: Annotated[
        bool, typer.Option("--if-missing", help="Do nothing when this instance has a site folder.")
    ] = False,
    units: Annotated[
        int | None,
        typer.Option(help="Generate a prefecture of so many hospitals and primary-care units instead."),
    ] = None,
    years: Annotated[int, typer.Option(help="Years that are generated, up to 2025.")] = 3,
    seed: Annotated[int, typer.Option(help="The same seed gives the same files.")] = 1,
    errors: Annotated[
        float, typer.Option(help="Share of the generated reports that get an error of entry.")
    ] = 0.0,
    file_format: Annotated[
        Literal["mixed", "csv", "parquet"],
        typer.Option(
            "--format", help="As bureaus send them (mixed), or one file for a form and year, for scale."
        ),
    ] = "mixed",
    out: Annotated[
        Path | None,
        typer.Option(help="Write site, inbox and truth below this folder, not into this instance."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Put constructed reports into the site folder and the inboxes: the shipped sample, or a generated prefecture."""
    settings = get_settings()
    if if_missing and (out / "site" if out else settings.site).exists():
        if as_json:
            print_json({"written": []})
        return
    if out is None and (settings.site, settings.inbox) != (settings.home / "site", settings.home / "inbox"):
        raise SettingsError(
            "The sample is only written below the instance's home, but site or inbox lie elsewhere.",
            mend="Unset WAREHOUSE_SITE and WAREHOUSE_INBOX, or set another WAREHOUSE_HOME for the sample.",
        )
    if units is not None:
        from samples import generator  # noqa: PLC0415

        folder = _folder(settings, out)
        options = generator.Options(units, years, seed, errors)
        _show(generator.write(folder, options, file_format=file_format), folder, as_json=as_json)
        return
    from samples import longhu  # noqa: PLC0415

    folder = out or settings.home
    if delivery in ("nantong", "haian"):
        from samples import haian, nantong, progress  # noqa: PLC0415

        plan = nantong if delivery == "nantong" else haian
        written = progress.deliver(
            folder,
            plan.events(),
            plan.deliveries(),
            towns=plan.towns(),
            duties=plan.duties(),
            source=plan.SOURCE,
        )
    elif delivery == "amendment":
        written = longhu.write(folder, delivery="amendment")
    else:
        _refuse_if_own(folder / "site", longhu.site.files())
        written = longhu.write(folder)
    if as_json:
        print_json({"written": written})
    else:
        console.print(f"{len(written)} constructed reports written to {folder / 'inbox'}", soft_wrap=True)


def _refuse_if_own(site: Path, files: dict[str, str]) -> None:
    """What a person wrote into the site folder is never written over."""
    own = [
        name
        for name, content in files.items()
        if (site / name).exists() and (site / name).read_bytes() != content.encode()
    ]
    if own:
        raise SettingsError(
            f"The site folder {site} has files of its own: {', '.join(own)}.",
            mend="Set another WAREHOUSE_HOME for the sample, or move these files away.",
        )


def _folder(settings: Settings, out: Path | None) -> Path:
    """Where a prefecture is generated; an instance that has units of its own keeps them."""
    if out is not None:
        return out
    if settings.site.exists():
        raise SettingsError(
            f"This instance has a site folder already: {settings.site}.",
            mend="Generate into another folder with --out, or set another WAREHOUSE_HOME.",
        )
    return settings.home


def _show(written: "Written", folder: Path, *, as_json: bool) -> None:
    if as_json:
        print_json({**asdict(written), "folder": folder})
        return
    console.print(
        f"{written.reports:,} constructed reports in {len(written.files):,} files written to {folder / 'inbox'}",
        soft_wrap=True,
    )
    if written.errors:
        truth = folder / "truth" / "truth.csv"
        console.print(f"{written.errors:,} of them have an error of entry: {truth}", soft_wrap=True)
