"""What the documents name is there: files, folders, targets of the Makefile, options, panels."""

from __future__ import annotations

import ast
import re
import tomllib
from datetime import date
from pathlib import Path

import pytest

from photo_wake_up.addon.cli.arguments import parser
from photo_wake_up.addon.core.motion.sources.library import CLIP_NAMES
from photo_wake_up.addon.core.option import settings_of
from photo_wake_up.addon.core.pipeline.stages import titles
from photo_wake_up.addon.core.settings import OutputSettings, WakeUpSettings

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md",
             *sorted((ROOT / "docs").glob("*.md"))]  # fmt: skip
TOP_FOLDERS = ("addon", "operators", "assets", "tests", "docs", ".ci")
TOP_FILES = ("README.md", "Makefile", "LICENSE", "pyproject.toml", "blender_manifest.toml",
             "requirements.txt", "requirements-dev.txt", "CONTRIBUTING.md",
             "CHANGELOG.md", "setup.py")  # fmt: skip
LARGEST_PICTURE_BYTES = 300_000


def _named_paths(text: str) -> set[str]:
    """Paths within backticks and code blocks that begin in one of the repository's folders."""
    start = "|".join(re.escape(folder) for folder in TOP_FOLDERS)
    return {found.rstrip("/.") for found in re.findall(rf"(?<![\w/.-])(?:{start})/[\w./-]*", text)}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_paths_exist(path):
    text = path.read_text(encoding="utf-8")
    named = _named_paths(text)
    missing = sorted(name for name in named if not (ROOT / name).exists())
    assert not missing
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if not target.startswith("https://"):
            assert (path.parent / target).exists(), target
    # Anything in backticks that looks like a module or one of the top files.
    for name in re.findall(r"`([\w./-]+\.(?:py|toml|txt|md))`", text):
        assert "/" in name or name in TOP_FILES, f"{name} is not named by its whole path"


def test_architecture_and_method_name_modules():
    for name, fewest in (("architecture.md", 30), ("method.md", 40)):
        named = _named_paths((ROOT / "docs" / name).read_text(encoding="utf-8"))
        assert len([path for path in named if path.endswith(".py")]) >= fewest


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_targets_of_the_makefile_exist(path):
    targets = set(
        re.findall(r"^([a-z0-9.-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    )
    named = set(
        re.findall(r"(?:^|`)make ([a-z0-9.-]*[a-z0-9])", path.read_text("utf-8"), re.MULTILINE)
    )
    assert named <= targets


def test_options_of_the_command():
    known = {
        option for action in parser()._actions for option in action.option_strings
    } - {"-h", "--help", "--out"}  # fmt: skip
    page = (ROOT / "docs" / "command_line.md").read_text("utf-8")
    assert set(re.findall(r"^\| `(--[a-z-]+)", page, re.MULTILINE)) == known
    readme = (ROOT / "README.md").read_text("utf-8")
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", readme)) <= known
    assert all(f"`{clip}`" in readme and f"`{clip}`" in page for clip in CLIP_NAMES)


def test_the_panel_is_told_in_its_order():
    page = (ROOT / "docs" / "blender.md").read_text("utf-8")
    assert re.findall(r"^## (.+)$", page, re.MULTILINE)[: len(titles())] == list(titles().values())


def test_names_of_buttons_and_settings_exist():
    """What is in italics in the guide to Blender is written so on the screen."""
    page = (ROOT / "docs" / "blender.md").read_text("utf-8")
    sources = [*(ROOT / "operators").glob("*.py"), *(ROOT / "addon" / "ui").glob("*.py")]
    literals = {
        node.value
        for source in sources
        for node in ast.walk(ast.parse(source.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    fields = [*settings_of(WakeUpSettings), *settings_of(OutputSettings)]
    literals |= {each.option.on_screen for each in fields}
    literals |= {choice.title for each in fields for choice in each.option.choices}
    on_screen = literals | {"Path"}  # an object of the scene
    names = {
        re.sub(r"\s+", " ", name) for name in re.findall(r"(?<!\*)\*([A-Z][^*]+)\*(?!\*)", page)
    }
    assert names and names <= on_screen | set(titles().values()), names - on_screen


def test_the_changelog_is_in_order_and_ends_in_the_version_that_is_built():
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    released = [
        re.fullmatch(r"\[(\d+)\.(\d+)\.(\d+)\] - (\d{4}-\d\d-\d\d)", h) for h in headings[1:]
    ]
    assert released and all(released), headings
    numbers = [tuple(map(int, found.groups()[:3])) for found in released]
    days = [date.fromisoformat(found.group(4)) for found in released]
    assert numbers == sorted(set(numbers), reverse=True) and days == sorted(days, reverse=True)
    built = tomllib.loads((ROOT / "blender_manifest.toml").read_text("utf-8"))["version"]
    assert ".".join(map(str, numbers[0])) == built
    kinds = set(re.findall(r"^### (.*)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_pictures_are_small():
    pictures = [path for path in (ROOT / "docs" / "pictures").iterdir() if path.suffix != ".md"]
    assert pictures
    for picture in pictures:
        assert picture.stat().st_size <= LARGEST_PICTURE_BYTES, picture.name


def test_imports_point_down():
    """Core knows nobody, scene knows core, and neither they nor the panels know the buttons."""
    program = ("results", "worker", "stage_states")
    above = {"core": ("scene", "ui", "cli", *program), "scene": ("ui", "cli"), "ui": ("cli",),
             "cli": ("ui", *program)}  # fmt: skip
    for layer in ("core", "scene", "ui", "cli"):
        for path in (ROOT / "addon" / layer).rglob("*.py"):
            depth = len(path.relative_to(ROOT / "addon").parts)  # dots that lead to addon
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.ImportFrom) and node.level:
                    first = (node.module or "").split(".")[0]
                    assert node.level <= depth, f"{path.name} imports from above addon"
                    if node.level == depth:
                        assert first not in above.get(layer, ()), f"{path.name} imports {first}"
