"""What the documentation of `addon/core` says of its public functions: every parameter, what comes
back and what is raised, in NumPy's style, and a shape for every array."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

CORE = Path(__file__).resolve().parents[2] / "addon" / "core"
FUNCTION = ast.FunctionDef | ast.AsyncFunctionDef
# How annotations name arrays (`addon/core/types.py`).
ARRAY = re.compile(
    r"\b(Float32|Float64|Floats|UInt8|Int32|Index|Integers|AnyArray|Mask|NDArray|ArrayLike)\b"
)
SHAPE = re.compile(r"\([^()]*[\w.'],[^()]*\)|\bshape\b")
SECTION = re.compile(r"^(\w[\w ]*)\n(-{3,})\n", re.MULTILINE)
# No section can say more than the sentence of these.
PLAIN = {"property", "cached_property", "overload"}


@dataclass(frozen=True)
class Documented:
    """A public function and its docstring."""

    name: str  # file:line name
    node: FUNCTION
    text: str

    @property
    def parameters(self) -> list[ast.arg]:
        given = self.node.args
        every = [*given.posonlyargs, *given.args, *given.kwonlyargs]
        every += [each for each in (given.vararg, given.kwarg) if each]
        return [each for each in every if each.arg not in ("self", "cls")]

    @property
    def returned(self) -> str:
        return ast.unparse(self.node.returns) if self.node.returns else "None"

    def sections(self) -> dict[str, str]:
        found = list(SECTION.finditer(self.text))
        ends = [each.start() for each in found[1:]] + [len(self.text)] * bool(found)
        return {each[1]: self.text[each.end() : end] for each, end in zip(found, ends, strict=True)}

    def entries(self, section: str) -> dict[str, str]:
        """Names of a section, and what is said of each: its line and what is indented below."""
        said: dict[str, str] = {}
        names: list[str] = []
        for line in self.sections().get(section, "").splitlines():
            if line and not line[0].isspace():
                head, _, rest = line.partition(" : ")
                names = [each.strip().lstrip("*") for each in head.split(",")]
                for name in names:
                    said[name] = rest
            else:
                for name in names:
                    said[name] += "\n" + line
        return said


def _raised(parts: Iterable[ast.AST], caught: frozenset[str] = frozenset()) -> set[str]:
    """Classes of errors that leave a function's own body."""
    names = set()
    for part in parts:
        if isinstance(part, ast.FunctionDef | ast.Lambda | ast.ClassDef):
            continue
        if isinstance(part, ast.Try):
            kinds = [each.type for each in part.handlers if each.type]
            own = {ast.unparse(kind) for each in kinds for kind in getattr(each, "elts", [each])}
            names |= _raised(part.body, caught | own)
            names |= _raised([*part.handlers, *part.orelse, *part.finalbody], caught)
            continue
        if isinstance(part, ast.Raise) and isinstance(part.exc, ast.Call):
            name = getattr(part.exc.func, "id", getattr(part.exc.func, "attr", ""))
            if name[:1].isupper() and name not in caught:
                names.add(name)
        names |= _raised(ast.iter_child_nodes(part), caught)
    return names


def _public(root: Path) -> Iterator[Documented]:
    for file in sorted(root.rglob("*.py")):
        tree = ast.parse(file.read_text("utf-8"))
        for outer in tree.body:
            inside = outer.body if isinstance(outer, ast.ClassDef) else [outer]
            if getattr(outer, "name", "_").startswith("_"):
                continue
            for node in inside:
                if not isinstance(node, FUNCTION) or node.name.startswith("_"):
                    continue
                decorators = {
                    getattr(each, "id", getattr(each, "attr", "")) for each in node.decorator_list
                }
                if decorators & PLAIN or any(
                    getattr(each, "attr", "") == "setter" for each in node.decorator_list
                ):
                    continue
                place = f"{file.relative_to(root).as_posix()}:{node.lineno} {node.name}"
                yield Documented(place, node, ast.get_docstring(node) or "")


def faults(function: Documented) -> list[str]:
    """What is missing in a function's docstring, a phrase each."""
    if not function.text:
        return ["no docstring"]
    missing = []
    sections = function.sections()
    described = function.entries("Parameters")
    names = [each.arg for each in function.parameters]
    if list(described) != names:
        missing.append(f"Parameters {list(described)} instead of {names}")
    for each in function.parameters:
        kind = ast.unparse(each.annotation) if each.annotation else ""
        said = described.get(each.arg, "")
        if each.arg in described and not said.partition("\n")[0].strip():
            missing.append(f"no type of {each.arg}")
        if ARRAY.search(kind) and not SHAPE.search(said):
            missing.append(f"no shape of {each.arg}")
    returned = function.returned
    word = "Yields" if returned.startswith(("Iterator", "Generator")) else "Returns"
    arrays = ARRAY.search(returned)
    if returned not in ("None", "NoReturn", "Never") and (names or arrays):
        if word not in sections:
            missing.append(f"no {word}")
        elif arrays and not SHAPE.search(sections[word]):
            missing.append(f"no shape in {word}")
    unsaid = _raised(function.node.body) - set(function.entries("Raises"))
    if unsaid:
        missing.append(f"Raises lacks {sorted(unsaid)}")
    return missing


def test_every_public_function_is_documented() -> None:
    functions = list(_public(CORE))
    assert len(functions) > 300
    found = {each.name: faults(each) for each in functions}
    lacking = [f"{name}: {'; '.join(what)}" for name, what in found.items() if what]
    assert not lacking, f"{len(lacking)} functions:\n" + "\n".join(lacking)


GOOD = '''
def bent(points: Float64, angle: float) -> Float64:
    """Points turned.

    Parameters
    ----------
    points : Float64
        (N, 2) pixels.
    angle : float
        Radians.

    Returns
    -------
    Float64
        (N, 2) pixels.

    Raises
    ------
    ValueError
        If there are none.
    """
    if not len(points):
        raise ValueError("no points")
    return points
'''


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("", "", None),
        ("    angle : float\n        Radians.\n", "", "Parameters"),
        ("angle : float\n", "angle\n", "no type of angle"),
        ("        (N, 2) pixels.\n    angle", "        Pixels.\n    angle", "no shape of points"),
        ("    Float64\n        (N, 2) pixels.", "    Float64\n        Pixels.", "no shape in Ret"),
        ("Returns\n    -------", "Gives\n    -----", "no Returns"),
        ("    ValueError\n        If", "    TypeError\n        If", "Raises lacks ['ValueError']"),
    ],
)
def test_what_is_missing_is_seen(tmp_path: Path, old: str, new: str, fault: str | None) -> None:
    (tmp_path / "bending.py").write_text(GOOD.replace(old, new) if old else GOOD, "utf-8")
    (function,) = _public(tmp_path)
    found = "; ".join(faults(function))
    assert fault in found if fault else not found
