"""Results: one table for the eye, the same as Markdown, and JSON for whoever compares runs."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from tabulate import tabulate

from bench.ruby_proxy import SOURCE
from proxy import __version__

RESULTS = Path(__file__).parent / "results"

_HEADERS = ("What", "How", "Leasehold", "Target", "Met", "Ruby proxy")


@dataclass(frozen=True, slots=True)
class Target:
    """What a figure is to be, and whether it is."""

    text: str
    met: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. ``values`` are its figures for machines: seconds, bytes, or plain numbers."""

    what: str
    how: str
    figure: str
    ruby_proxy: str
    target: Target | None = None
    values: dict[str, float] = field(default_factory=dict)


def table(rows: Sequence[Row], form: str = "simple") -> str:
    """The rows in a form that tabulate knows."""
    cells = [
        (
            row.what,
            row.how,
            row.figure,
            row.target.text if row.target else "",
            ("yes" if row.target.met else "NO") if row.target else "",
            row.ruby_proxy,
        )
        for row in rows
    ]
    return tabulate(cells, _HEADERS, tablefmt=form, disable_numparse=True)


def circumstances() -> dict[str, str]:
    """When and where this ran."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "version": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "cores": str(os.cpu_count()),
        "load before": f"{os.getloadavg()[0]:.2f}",
    }


def heading(where: dict[str, str]) -> str:
    """One line about the circumstances."""
    return (
        f"Leasehold {where['version']}, {where['date']}, Python {where['python']}, {where['system']}, "
        f"{where['cores']} cores, load before {where['load before']}. Ruby proxy: {SOURCE}."
    )


def write(rows: Sequence[Row], where: dict[str, str]) -> list[Path]:
    """Write ``bench/results/DATE.json`` and ``.md``; returns their paths."""
    RESULTS.mkdir(exist_ok=True)
    stem = RESULTS / datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    as_json, as_markdown = stem.with_suffix(".json"), stem.with_suffix(".md")
    as_json.write_text(json.dumps({"where": where, "rows": [asdict(row) for row in rows]}, indent=2) + "\n")
    as_markdown.write_text(f"{heading(where)}\n\n{table(rows, 'github')}\n")
    return [as_json, as_markdown]
