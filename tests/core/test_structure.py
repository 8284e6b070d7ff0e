"""How the modules hang together: no import leads back, and the seed reaches all that is random."""

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
    assert f"{PACKAGE}.addon.core.body.fit.body_fit" in imports[f"{PACKAGE}.addon.core.body.stage"]
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


CORE = ROOT / "addon" / "core"
# What draws from a generator of the whole process or thread.
HIDDEN_RANDOMNESS = {"setRNGSeed", "kmeans", "grabCut", "randu", "randn", "randShuffle"}


def _trees() -> dict[str, ast.Module]:
    folders = (ROOT / "addon", ROOT / "operators")
    return {
        file.relative_to(ROOT).as_posix(): ast.parse(file.read_text("utf-8"))
        for folder in folders
        for file in sorted(folder.rglob("*.py"))
    }


def _takes_seed(node: ast.AST) -> bool:
    """Whether a function, or a class when it is made, takes a seed."""
    if isinstance(node, ast.FunctionDef):
        arguments = node.args
        every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
        return any(argument.arg == "seed" for argument in every)
    if isinstance(node, ast.ClassDef):
        return any(
            (isinstance(part, ast.AnnAssign) and getattr(part.target, "id", "") == "seed")
            or (isinstance(part, ast.FunctionDef) and part.name == "__init__" and _takes_seed(part))
            for part in node.body
        )  # fmt: skip
    return False


def _gives_seed(call: ast.Call) -> bool:
    given = [*call.args, *(word.value for word in call.keywords)]
    return any(
        getattr(part, "id", getattr(part, "attr", "")) == "seed"
        for value in given
        for part in ast.walk(value)
    )


def _called(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def test_nothing_draws_from_a_hidden_generator():
    for name, tree in _trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                modules = {alias.name for alias in node.names} | {getattr(node, "module", "")}
                assert "random" not in modules, name
            if isinstance(node, ast.Attribute):
                own = name == "addon/core/imaging/seeded_opencv.py"
                assert own or node.attr not in HIDDEN_RANDOMNESS, f"{name}:{node.lineno}"
                if getattr(node.value, "attr", "") == "random":
                    assert node.attr in ("Generator", "default_rng"), f"{name}:{node.lineno}"


def test_the_seed_is_handed_down_to_all_that_is_random():
    """From the settings, in the pipeline, to every generator: whoever calls what takes a seed
    gives the one that it has."""
    trees = {name: tree for name, tree in _trees().items() if name.startswith("addon/core/")}
    takers = {
        node.name
        for tree in trees.values()
        for node in ast.walk(tree)
        if _takes_seed(node) and node.name != "WakeUpSettings"  # there it is the user's
    } - {"__init__"}
    assert {"k_means", "grab_cut", "segment_person", "fit_body", "fill_background"} <= takers
    given = 0
    for name, tree in trees.items():
        defaults = {
            id(value)
            for node in ast.walk(tree)
            if isinstance(node, ast.arguments)
            for value in (*node.defaults, *node.kw_defaults)
        }
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if id(call) not in defaults and _called(call) in takers | {"default_rng"}:
                assert _gives_seed(call), f"{name}:{call.lineno} leaves the seed out"
                given += 1
    assert given > 20


MOST_MODULES, MOST_LINES = 14, 450  # of a folder and of a file: what one reads in one go


def test_folders_and_files_are_small():
    folders: dict[str, int] = {}
    for folder in ("addon", "operators"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            place = file.parent.relative_to(ROOT).as_posix()
            folders[place] = folders.get(place, 0) + (file.name != "__init__.py")
            lines = len(file.read_text("utf-8").splitlines())
            assert lines <= MOST_LINES, f"{place}/{file.name}: {lines} lines"
    assert len(folders) > 20
    crowded = {place: count for place, count in folders.items() if count > MOST_MODULES}
    assert not crowded
