"""Files that once broke their readers, found by fuzzing, are values or sentences now."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from ..fuzz import mutations
from ..fuzz.targets import TARGETS
from .damage import bounded

FOLDER = Path(__file__).with_name("fuzz_cases")
CASES = sorted(path for path in FOLDER.glob("*/*") if path.is_file())
SECONDS, MEGABYTES = 5.0, 1000.0  # for one file; pictures as large as are allowed
MUTATIONS = 30  # of each target's seeds


@pytest.mark.parametrize("case", CASES, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_was_found(case):
    target = TARGETS[case.parent.name]
    if target.needs_blender:
        pytest.importorskip("bpy")
    with bounded(SECONDS, MEGABYTES):
        target.try_on(case.read_bytes())


@pytest.mark.parametrize("name", [name for name, each in TARGETS.items() if not each.needs_blender])
def test_readers_take_what_is_fuzzed(name):
    """A target that refused all of its seeds would test nothing but refusals."""
    target = TARGETS[name]
    seeds = target.seeds()
    assert any(target.try_on(seed) for seed in seeds)
    chance = random.Random(1)
    for _ in range(MUTATIONS):
        content = mutations.mutated(chance, chance.choice(seeds), seeds, target.words)
        target.try_on(content if target.repair is None else target.repair(content))
