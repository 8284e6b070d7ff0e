"""Programs that ours is held against, in an environment of their own (`make reference`)."""

from __future__ import annotations

from pathlib import Path

PYTHON = Path(__file__).resolve().parents[2] / "build" / "reference" / "venv" / "bin" / "python"
