"""Tests that are skipped are counted, and excused only where what their reasons name is absent."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from .reference import PYTHON as REFERENCE

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
DATA = Path(os.environ.get("PHOTO_WAKE_UP_DATA", ROOT.parent / "shared" / "data"))
REPORTED = Path(os.environ.get("PHOTO_WAKE_UP_REPORTED", DATA.parent / "reported"))


def _has_program(*names: str) -> bool:
    return any(shutil.which(name) for name in names)


def _has_package(name: str) -> bool:
    return importlib.util.find_spec(name.partition(".")[0]) is not None


# What a reason says, and whether what it misses is there after all. A test that is skipped for
# another reason needs a line here.
EXCUSES: tuple[tuple[str, Callable[..., bool]], ...] = (
    (r"the folder of real test pictures is not there", DATA.is_dir),
    (r"the folder of inputs that went wrong is not there", (DATA.parent / "reported").is_dir),
    (
        r"(.+) is not there: set PHOTO_WAKE_UP_DATA",
        lambda name: any((DATA / folder / name).exists() for folder in ("mocap", "broken")),
    ),
    (
        r"(.+) is not there: it lies in 'reported'",
        lambda n: (DATA.parent / "reported" / n).exists(),
    ),
    (r"(.+) is not there: set PHOTO_WAKE_UP_REPORTED", lambda name: (REPORTED / name).exists()),
    (r"the demo photo is not ", (BUILD / "demo_photo" / "photo.png").is_file),
    (r"MediaPipe's environment is not there", REFERENCE.is_file),
    (r"Pixar's validators are not installed", REFERENCE.is_file),
    (r"the glTF validator is not installed", lambda: _has_program("npm")),
    (r"the page's viewer is not installed", lambda: _has_program("npm")),
    (r"Chromium is not installed", lambda: _has_program("chromium", "chromium-browser")),
    (r"make or bash is missing", lambda: _has_program("make") and _has_program("bash")),
    (r"not a git repository", lambda: (ROOT / ".git").exists() and _has_program("git")),
    (r"could not import '([\w.]+)'", _has_package),
    (r"mypy is missing", lambda: _has_package("mypy")),
    (r"needs a folder nobody may write to", Path("/proc/self").exists),
    (r"(?:needs a limit on|needs signals for|permissions are another)", lambda: os.name == "posix"),
    (r"the system has no named pipes", lambda: hasattr(os, "mkfifo")),
    # What Blender itself has or not; nothing outside of it would tell.
    (r"this Blender keeps no undo history without a window", lambda: False),
    (r"Blender's BVH importer is switched off", lambda: False),
)


def is_excused(reason: str) -> bool:
    """Whether what a skipped test's reason names is truly absent. A reason nobody knows is none."""
    for pattern, is_there in EXCUSES:
        found = re.match(pattern, reason)
        if found is not None:
            return not is_there(*found.groups())
    return False


class SkipCount:
    """A plugin of pytest: tells at the end how many tests were skipped why.

    With `refuses` the run fails where a test was skipped without an excuse.
    """

    def __init__(self, *, refuses: bool) -> None:
        self.refuses = refuses
        self.reasons: Counter[str] = Counter()

    def _note(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if report.skipped and not hasattr(report, "wasxfail"):
            told = report.longrepr
            reason = told[2] if isinstance(told, tuple) else str(told)
            self.reasons[reason.removeprefix("Skipped: ")] += 1

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._note(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._note(report)

    def _needless(self) -> list[str]:
        return [reason for reason in self.reasons if not is_excused(reason)]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self.refuses and self._needless() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if not self.reasons:
            return
        terminalreporter.section(f"{self.reasons.total()} skipped")
        needless = self._needless()
        for reason, count in self.reasons.most_common():
            remark = " - NEEDLESSLY: it is there, or tests/skips.py does not know it"
            terminalreporter.line(f"{count:4} {reason}{remark if reason in needless else ''}")
