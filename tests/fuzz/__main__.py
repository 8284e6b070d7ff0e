"""Fuzzes every reader for some seconds each and keeps what is found as cases of the tests.

Each reader is tried in a process of its own (`tests/fuzz/hunt.py`), which is started anew for the
rest of its time where an input kills it, blocks it or takes all memory: that input is a finding as
well. Exit code 1 where anything was found.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

from .hunt import ALARM_S, AT_WORK, FINDINGS, RUNS
from .targets import TARGETS

CASES = Path(__file__).resolve().parents[1] / "core" / "fuzz_cases"
_MOST_KEPT = 1 << 18  # bytes of an input that is kept: beyond, a test makes it better itself
_STUCK_S = 4 * ALARM_S  # beyond its time; an input that blocks was ended by its alarm before
_STARTING_S = 300  # a process imports for long on a busy machine


def main() -> int:
    arguments = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    arguments.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}")
    arguments.add_argument("--seconds", type=float, default=60.0, help="for each target (60)")
    arguments.add_argument("--seed", type=int, default=0, help="of all that is random (0)")
    arguments.add_argument("--blindly", action="store_true", help="without Atheris")
    arguments.add_argument("--out", type=Path, required=True, help="folder of corpora and findings")
    arguments.add_argument("--cases", type=Path, default=CASES, help="folder that findings go to")
    options = arguments.parse_args()
    unknown = set(options.targets) - set(TARGETS)
    if unknown:
        arguments.error(f"there is no target {', '.join(sorted(unknown))}")
    found = 0
    for name in options.targets or TARGETS:
        folder = options.out / name
        shutil.rmtree(folder / FINDINGS, ignore_errors=True)
        (folder / FINDINGS).mkdir(parents=True)
        _fuzz(name, folder, options)
        findings = [each for each in sorted((folder / FINDINGS).iterdir()) if _shows(name, each)]
        kept = [_kept(finding, options.cases / name) for finding in findings]
        found += len(kept)
        runs, taken = (folder / RUNS).read_text().split() if (folder / RUNS).exists() else (0, 0)
        print(f"{name}: {runs} inputs, {taken} taken, {len(kept)} findings", flush=True)
        for case in kept:
            print(f"  {case}", flush=True)
    return 1 if found else 0


def _fuzz(name: str, folder: Path, options: argparse.Namespace) -> None:
    """Fuzz one target until its time is over, whatever becomes of its processes."""
    until, number = time.monotonic() + options.seconds, 0
    (folder / RUNS).unlink(missing_ok=True)
    while number == 0 or time.monotonic() < until:
        left = max(until - time.monotonic(), 1.0)
        command = [
            sys.executable, "-W", "ignore", "-m", f"{__package__}.hunt", name, str(folder),
            "--seconds", f"{left}", "--seed", str(options.seed + number),
            *(["--blindly"] if options.blindly else []),
        ]  # fmt: skip
        number += 1
        (folder / AT_WORK).unlink(missing_ok=True)
        with (folder / "log.txt").open("ab") as log:
            try:
                code = subprocess.run(
                    command,
                    check=False,
                    stdout=log,
                    stderr=log,
                    timeout=left + _STUCK_S + _STARTING_S,
                ).returncode
            except subprocess.TimeoutExpired:
                code = -1
        if code == 0:
            return
        if not (folder / AT_WORK).exists():
            raise SystemExit(f"{name} could not be started: see {folder / 'log.txt'}.")
        content = (folder / AT_WORK).read_bytes()
        digest = hashlib.sha256(content).hexdigest()[:12]
        (folder / FINDINGS / f"killed-{digest}").write_bytes(content)


def _shows(name: str, finding: Path) -> bool:
    """Whether an input shows a finding without Atheris as well, whose own faults are none."""
    command = [
        sys.executable, "-W", "ignore", "-m", f"{__package__}.hunt", name, str(finding.parents[1]),
        "--replay", str(finding),
    ]  # fmt: skip
    try:
        return (
            subprocess.run(
                command, check=False, capture_output=True, timeout=_STARTING_S
            ).returncode
            != 0
        )
    except subprocess.TimeoutExpired:
        return True


def _kept(finding: Path, cases: Path) -> Path:
    """Where the finding is kept: among the tests' cases where it is small."""
    if finding.stat().st_size > _MOST_KEPT:
        return finding
    cases.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(finding, cases / finding.name))


if __name__ == "__main__":
    sys.exit(main())
