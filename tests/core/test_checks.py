"""What mypy and ruff are told: that all code is looked at, as strictly as is said."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]
CODE_FOLDERS = ("addon", "operators")
CORE = "photo_wake_up.addon.core"


def _flags_for(module: str) -> dict[str, Any]:
    """What mypy's settings say of a module: the whole's, and those of the patterns that fit it."""
    found = {key: value for key, value in TOOLS["mypy"].items() if key != "overrides"}
    for override in TOOLS["mypy"]["overrides"]:
        for pattern in override["module"]:
            if module == pattern or (
                pattern.endswith(".*") and f"{module}.".startswith(pattern[:-1])
            ):
                found |= override
    return found


def test_types_are_checked_in_every_folder_of_code_by_its_name():
    assert TOOLS["mypy"]["packages"] == [f"photo_wake_up.{folder}" for folder in CODE_FOLDERS]


def test_core_is_checked_with_all_that_strict_means():
    options = pytest.importorskip("mypy.main", reason="mypy is missing").define_options()
    strict = dict(options[2])
    del strict["warn_return_any"]  # libraries without types; the reason stands in pyproject.toml
    assert len(strict) > 10
    for path in (ROOT / "addon" / "core").rglob("*.py"):
        module = ".".join([CORE, *path.relative_to(ROOT / "addon" / "core").with_suffix("").parts])
        flags = _flags_for(module.removesuffix(".__init__"))
        assert {name: flags.get(name) for name in strict} == strict, module


def test_ruff_looks_for_everything_but_what_is_named_with_its_reason():
    assert TOOLS["ruff"]["lint"]["select"] == ["ALL"]
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    (block,) = re.findall(r"^ignore = \[\n(.*?)^\]$", text, re.MULTILINE | re.DOTALL)
    has_reason = False
    for line in block.splitlines():  # a reason stands behind the codes, or above them
        has_reason = (has_reason and line.strip() != "") or "# " in line
        assert has_reason or not line.strip(), line


def test_every_suppressed_finding_tells_its_reason():
    silent = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in (*CODE_FOLDERS, "assets", "tests")
        for path in (ROOT / folder).rglob("*.py")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(r"# [n]oqa(?!: [A-Z0-9, ]+ - \w)", line)
    ]
    assert not silent


def test_commits_are_looked_at_by_what_make_lint_runs():
    hooks = re.findall(r"entry: (\S+ ?\w*)", (ROOT / ".pre-commit-config.yaml").read_text("utf-8"))
    recipe = (ROOT / "Makefile").read_text("utf-8").split("\nlint:")[1].split("\n\n")[0]
    commands = re.findall(r"\$\(VENV\)(/bin/\S+(?: (?:check|format))?)", recipe)
    assert [hook.strip() for hook in hooks] == [f"build/venv{command}" for command in commands]
