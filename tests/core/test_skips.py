"""Skipped tests are counted, and a run fails where what they miss is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from photo_wake_up.tests import skips

ROOT = Path(__file__).resolve().parents[2]
_CONFTEST = """
from photo_wake_up.tests.skips import SkipCount

def pytest_configure(config):
    config.pluginmanager.register(SkipCount(refuses={refuses}))
"""


def _run(folder: Path, tests: str, *, refuses: bool) -> tuple[int, str]:
    """Exit code and output of pytest in a folder of its own."""
    (folder / "conftest.py").write_text(_CONFTEST.format(refuses=refuses))
    (folder / "test_few.py").write_text(f"import pytest\n\n{tests}")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-c", os.devnull, "--rootdir", str(folder), "-p",
         "no:cacheprovider", str(folder)],
        check=False, cwd=folder, env=environment, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout


_NEEDLESS = "def test_it():\n    pytest.skip(\"could not import 'json': it is said\")\n"
_EXCUSED = "def test_it():\n    pytest.importorskip('no_such_package_at_all')\n"


@pytest.mark.parametrize(
    ("tests", "refuses", "code"),
    [
        (_NEEDLESS, True, 1),
        (_NEEDLESS, False, 0),
        (_EXCUSED, True, 0),
        ("def test_it():\n    pytest.skip('for a reason nobody knows')\n", True, 1),
        ("@pytest.mark.skip(reason='later')\ndef test_it():\n    pass\n", True, 1),
        ("@pytest.mark.xfail\ndef test_it():\n    raise ValueError\n", True, 0),
        ("pytest.importorskip('no_such_package_at_all')\n\ndef test_it():\n    pass\n\n", True, 0),
    ],
)
def test_a_run_fails_where_a_skip_has_no_excuse(tmp_path, tests, refuses, code):
    # A run of which nothing is left ends with 5; one test that passes stands beside.
    (tmp_path / "test_passes.py").write_text("def test_it():\n    pass\n")
    ended, said = _run(tmp_path, tests, refuses=refuses)
    assert ended == code, said
    assert ("1 skipped" in said) == ("xfail" not in tests)
    excused = "importorskip" in tests or "xfail" in tests
    assert ("NEEDLESSLY" in said) != excused


def test_each_excuse_ends_where_the_input_is_there(tmp_path, monkeypatch):
    monkeypatch.setattr(skips, "DATA", tmp_path / "data")
    reason = "walk.bvh is not there: set PHOTO_WAKE_UP_DATA to the folder of test data"
    assert skips.is_excused(reason)
    (tmp_path / "data" / "mocap").mkdir(parents=True)
    assert skips.is_excused(reason)
    (tmp_path / "data" / "mocap" / "walk.bvh").touch()
    assert not skips.is_excused(reason)


def test_every_reason_that_tests_give_is_known():
    """Each `pytest.skip` and `skipif` of the tests says something that `EXCUSES` has a line for."""
    said = re.compile(r"(?:pytest\.skip\(|reason=)f?\"([^\"]+)\"")
    unknown = []
    for path in (ROOT / "tests").rglob("*.py"):
        if path.name != Path(__file__).name:
            for reason in said.findall(path.read_text("utf-8")):
                if not any(re.match(pattern, reason) for pattern, _ in skips.EXCUSES):
                    unknown.append(f"{path.name}: {reason}")
    assert not unknown


def test_ci_refuses_needless_skips():
    assert "--refuse-needless-skips" in (ROOT / "Makefile").read_text("utf-8")
    assert "make test" in (ROOT / ".ci" / "run").read_text("utf-8")
