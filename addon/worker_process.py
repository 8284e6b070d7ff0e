"""The worker process's first lines: give the package its name and serve one request.

    python worker_process.py ROOT PACKAGE FOLDER

An extension's package is called bl_ext.<repository>.<id>, and the packages above it exist in
Blender only. Values travel as pickles, which name their classes' modules, so that the same names
must lead to the same code here.
"""

import importlib
import importlib.util
import os
import sys
import types
from pathlib import Path

NICENESS = 5  # of 19


def load_package(root: Path, name: str) -> None:
    """Make `root` importable as the package `name`, dots and all."""
    parts = name.split(".")
    for count in range(1, len(parts)):
        above = types.ModuleType(".".join(parts[:count]))
        above.__path__ = []
        sys.modules[above.__name__] = above
    spec = importlib.util.spec_from_file_location(
        name, root / "__init__.py", submodule_search_locations=[str(root)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{root} is not a package")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


def main() -> None:
    root, name, folder = sys.argv[1:]
    if hasattr(os, "nice"):
        os.nice(NICENESS)  # anyone who works in the window goes first; Windows: see worker._start
    load_package(Path(root), name)
    importlib.import_module(f"{name}.addon.worker").serve(Path(folder))


if __name__ == "__main__":
    main()
