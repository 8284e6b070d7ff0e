"""The code speaks the field's language: `docs/glossary.md` names the words that it does without."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_UNITS = "frames|metres|pixels|degrees|radians|keys|rows|numbers|bones|values|samples|transforms"
_PER = "second|metre|pixel|frame|joint|vertex|bone|corner|row|layer|person|unit|side|limb|stage"
# In docstrings and comments. What users read, strings of all other kinds, has its own tone.
RETIRED = re.compile(
    r"\b(anew|somebody|whoever|whom|anybody|everybody|nobody|surely|whisper|chances?|tells)\b"
    r"|\b(?-i:None where)\b"
    r"|\b(is|are) told (by|from|for)\b"
    rf"|\b({_UNITS}) an? ({_PER})\b"
    r"|\bone an? (joint|pixel|frame|row|layer|corner|vertex)\b",
    re.IGNORECASE,
)  # fmt: skip
# In names of modules, classes, functions, arguments and variables.
RETIRED_NAMES = re.compile(
    r"_an?_(pixel|metre|second|frame|joint)\b|(^|_)(springs?|whisper|chances?|anew)"
    r"(_|$)",
    re.IGNORECASE,
)  # fmt: skip


def _prose(source: str) -> Iterator[tuple[int, str]]:
    """Line number and text of each docstring and comment."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield node.body[0].lineno, " ".join(text.split())
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def _names(source: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME:
            yield token.start[0], token.string


def retired(source: str) -> list[str]:
    """Where a module uses a word that the glossary has retired."""
    found = [f"{line}: {hit[0]}" for line, text in _prose(source) for hit in RETIRED.finditer(text)]
    found += [f"{line}: {name}" for line, name in _names(source) if RETIRED_NAMES.search(name)]
    return found


def _modules() -> list[Path]:
    return [file for folder in ("addon", "operators") for file in (ROOT / folder).rglob("*.py")]


def test_no_module_uses_a_retired_word() -> None:
    modules = _modules()
    assert len(modules) > 200
    found = []
    for file in sorted(modules):
        name = file.relative_to(ROOT).as_posix()
        hits = [file.stem] if RETIRED_NAMES.search(file.stem) else []
        found += [f"{name}:{hit}" for hit in [*hits, *retired(file.read_text("utf-8"))]]
    assert not found, f"{len(found)} places:\n" + "\n".join(found)


@pytest.mark.parametrize(
    "source",
    [
        '"""Made anew."""',
        "a = 1  # frames a second",
        'def f():\n    """None where it is not."""',
        "def metres_a_pixel(): ...",
        "class Springs: ...",
    ],
)
def test_retired_words_are_seen(source: str) -> None:
    assert retired(source)


@pytest.mark.parametrize(
    "source",
    [
        'print("nobody tells")  # what users read has its own tone',
        '"""Frames per second: a second run is a pixel wide."""',
        "offsprings_of = spring_time = 1\n",
    ],
)
def test_other_words_are_left_alone(source: str) -> None:
    assert not [hit for hit in retired(source) if "spring_time" not in hit]


def test_the_glossary_names_every_retired_word() -> None:
    table = (ROOT / "docs" / "glossary.md").read_text("utf-8").partition("## Retired words")[2]
    for word in ("anew", "somebody", "whoever", "whom", "anybody", "everybody", "nobody", "surely",
                 "chance", "tells", "None where", "springs", "metres_a_pixel"):  # fmt: skip
        assert word in table, word
