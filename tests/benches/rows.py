"""Rows of a bench: what was measured against which bar, {"what", "bar", "value", "met"}."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

from .photos import ROOT

Row = dict[str, Any]


def row(what: str, bar: str, value: Any, met: bool | None) -> Row:
    """met None: told, but no bar is set for it."""
    return {"what": what, "bar": bar, "value": value, "met": None if met is None else bool(met)}


def at_most(what: str, limit: float, value: float) -> Row:
    return row(what, f"<= {limit:g}", value, value <= limit)


def at_least(what: str, limit: float, value: float) -> Row:
    return row(what, f">= {limit:g}", value, value >= limit)


def run_parts(name: str, parts: Sequence[str], description: str | None) -> int:
    """A bench from the command line: the modules `parts` of the package `{name}`, each with
    `rows(pictures)`, or those that `--only` names. Pictures go to `{out}/{name}/`, rows to
    `{out}/{name}.json`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench")
    parser.add_argument("--only", nargs="*", choices=parts)
    options = parser.parse_args()
    pictures: Path = options.out / name
    pictures.mkdir(parents=True, exist_ok=True)
    modules = [import_module(f"{__package__}.{name}.{part}") for part in options.only or parts]
    measured = [partial(module.rows, pictures) for module in modules]
    print_and_write(measured, options.out / f"{name}.json")
    return 0


def print_and_write(parts: Iterable[Callable[[], list[Row]]], path: Path) -> bool:
    """Measure part by part, print each row as it comes, and write all of them as JSON; whether no
    bar was missed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    for part in parts:
        for each in part():
            rows.append(each)
            mark = {True: "met", False: "MISSED", None: ""}[each["met"]]
            print(
                f"{each['what']:58} {each['bar']:>12} {_short(each['value']):>14} {mark}",
                flush=True,
            )
    path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    missed = [each["what"] for each in rows if each["met"] is False]
    print("bars missed:" if missed else "all bars met", *missed, sep="\n  ")
    return not missed


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
