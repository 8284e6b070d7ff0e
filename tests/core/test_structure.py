"""How the modules hang together: no module needs itself, by whatever way."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "photo_wake_up"


def _modules(root: Path) -> dict[str, Path]:
    """Dotted names of all modules of the extension below `root`, and their files."""
    files = [root / "__init__.py"]
    files += [file for folder in ("addon", "operators") for file in (root / folder).rglob("*.py")]
    named = {}
    for file in sorted(file for file in files if file.exists()):
        parts = [PACKAGE, *file.relative_to(root).with_suffix("").parts]
        named[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return named


def _imported(name: str, file: Path, known: set[str]) -> set[str]:
    """The modules out of `known` that a module imports anywhere: within functions, too."""
    package = name if file.name == "__init__.py" else name.rpartition(".")[0]
    wanted = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            wanted |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) + 1 - node.level]
            parts = [*(above if node.level else []), *filter(None, [node.module])]
            source = ".".join(parts)
            # What is imported from a package is one of its modules, or a name of its __init__.
            wanted |= {
                whole if (whole := f"{source}.{alias.name}") in known else source
                for alias in node.names
            }
    return wanted & known


def _imports(root: Path) -> dict[str, set[str]]:
    modules = _modules(root)
    return {name: _imported(name, file, set(modules)) for name, file in modules.items()}


def test_no_import_leads_back():
    imports = _imports(ROOT)
    # It sees what there is: modules of every folder, imports at the top and within functions.
    assert f"{PACKAGE}.addon.core.errors" in imports[f"{PACKAGE}.addon.core.pipeline.run"]
    assert f"{PACKAGE}.addon.core.body.fit" in imports[f"{PACKAGE}.addon.core.body.stage"]
    assert f"{PACKAGE}.addon.registration" in imports[PACKAGE]
    try:
        order = list(TopologicalSorter(imports).static_order())
    except CycleError as error:
        pytest.fail(f"Modules import each other: {' <- '.join(error.args[1])}")
    assert set(order) == set(imports)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("from . import b", "from .a import x"),
        ("from .b import y", "def f():\n    from . import a"),
        ("import photo_wake_up.addon.b", "from photo_wake_up.addon import a"),
        ("class C:\n    def f(self):\n        from ..addon.b import y", "from ..addon import a"),
        ("from . import a", ""),
    ],
)
def test_cycles_are_seen(tmp_path, first, second):
    (tmp_path / "addon").mkdir()
    (tmp_path / "addon" / "a.py").write_text(first, encoding="utf-8")
    (tmp_path / "addon" / "b.py").write_text(second, encoding="utf-8")
    with pytest.raises(CycleError):
        TopologicalSorter(_imports(tmp_path)).prepare()
