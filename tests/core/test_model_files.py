"""Bodies and networks as files: what is read, what is refused, and where they are looked for."""

from __future__ import annotations

import contextlib
import pickle
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
import torch

from photo_wake_up.addon.core.body.model.body_files import load_body_model
from photo_wake_up.addon.core.body.model.skeleton import JOINT, PARENTS
from photo_wake_up.addon.core.body.model.skinning import skin, skinned_points
from photo_wake_up.addon.core.errors import ModelFileError
from photo_wake_up.addon.core.inference import model_files
from photo_wake_up.addon.core.inference.model_files import model_path

COUNT = 40  # vertices of the small made-up bodies


def fields(seed: int = 0, correctives: bool = False) -> dict[str, object]:
    """The fields of an SMPL file of a random small body."""
    rng = np.random.default_rng(seed)
    weights = rng.dirichlet(np.full(24, 0.2), COUNT)
    regressor = rng.dirichlet(np.full(COUNT, 0.2), 24)
    posedirs = rng.normal(0, 0.01, (COUNT, 3, 207)) * correctives
    return {
        "v_template": rng.normal(size=(COUNT, 3)),
        "shapedirs": rng.normal(0, 0.1, (COUNT, 3, 10)),
        "posedirs": posedirs,
        "J_regressor": regressor,
        "weights": weights,
        "f": rng.integers(0, COUNT, (30, 3)).astype(np.uint32),
        "kintree_table": np.array([PARENTS, range(24)]).astype(np.uint32),
    }


def saved(folder: Path, values: dict[str, object]) -> Path:
    path = folder / "model.npz"
    np.savez(path, **values)
    return path


# -- skinning ---------------------------------------------------------------------------------


def test_pose_correctives_agree_with_smplx(tmp_path: Path) -> None:
    """The default body has none; SMPL's own files do."""
    lbs = pytest.importorskip("smplx.lbs").lbs
    values = fields(correctives=True)
    body = load_body_model(saved(tmp_path, values))
    rng = np.random.default_rng(1)
    betas = torch.tensor(rng.normal(size=(3, 10)), dtype=torch.float32)
    angles = torch.tensor(rng.normal(0, 0.7, (3, 24, 3)), dtype=torch.float32)
    template, shapes, posedirs, regressor, weights = (
        torch.tensor(values[name], dtype=torch.float32)
        for name in ("v_template", "shapedirs", "posedirs", "J_regressor", "weights")
    )
    with torch.no_grad():
        expected, expected_joints = lbs(
            betas, angles.reshape(3, -1), template[None], shapes,
            posedirs.reshape(-1, 207).T, regressor, torch.tensor(PARENTS), weights,
        )  # fmt: skip
    chosen = np.array([5, 17])
    for each in range(3):
        args = betas[each].double().numpy(), angles[each].double().numpy(), np.zeros(3)
        posed = skin(skinned_points(body), *args)
        assert np.abs(posed.vertices - expected[each].numpy()).max() < 1e-5
        assert np.abs(posed.joints - expected_joints[each].numpy()).max() < 1e-5
        some = skin(skinned_points(body, chosen), *args)
        assert np.abs(some.vertices - posed.vertices[chosen]).max() < 1e-12


# -- pickles as SMPL's authors made them ------------------------------------------------------


_CHUMPY = ("chumpy", "chumpy.ch", "chumpy.reordering")


@pytest.fixture
def chumpy() -> Iterator[types.SimpleNamespace]:
    """Stand-ins for chumpy's classes, importable while a file is written and not afterwards."""
    made = {}
    sys.modules["chumpy"] = types.ModuleType("chumpy")
    for module, names in (("chumpy.ch", ["Ch"]), ("chumpy.reordering", ["Select", "transpose"])):
        sys.modules[module] = types.ModuleType(module)
        for name in names:
            made[name] = type(name, (), {"__module__": module})
            setattr(sys.modules[module], name, made[name])
    yield types.SimpleNamespace(**made)
    for module in _CHUMPY:
        sys.modules.pop(module, None)


def with_state(cls: type, **state: object) -> object:
    made = cls()
    made.__dict__.update(state)
    return made


@pytest.mark.parametrize("protocol", [0, 2])
@pytest.mark.parametrize("sparse", [scipy.sparse.csc_matrix, scipy.sparse.csr_matrix])
def test_smpl_pickles_are_read_without_chumpy(
    chumpy: types.SimpleNamespace, tmp_path: Path, protocol: int, sparse: type
) -> None:
    plain = fields()
    stored = dict(plain)
    stored["J_regressor"] = sparse(plain["J_regressor"])
    stored["v_template"] = with_state(chumpy.Ch, x=plain["v_template"])
    # As published: ten directions, selected from an array of many more.
    many = np.random.default_rng(3).normal(size=(COUNT, 3, 30))
    index = np.arange(many.size).reshape(many.shape)[:, :, :10].ravel()
    whole = with_state(chumpy.Ch, x=many)
    stored["shapedirs"] = with_state(
        chumpy.Select, a=whole, idxs=index, preferred_shape=(COUNT, 3, 10)
    )
    stored["J"] = with_state(chumpy.transpose, a=whole)  # a result, which nobody needs
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(stored, protocol=protocol))
    for module in _CHUMPY:
        del sys.modules[module]
    body = load_body_model(path)
    assert np.array_equal(body.template, np.float32(plain["v_template"]))
    assert np.array_equal(body.shapes, np.float32(many[:, :, :10]))
    assert np.array_equal(body.regressor, np.float32(plain["J_regressor"]))
    assert np.array_equal(body.faces, plain["f"])


def test_a_computed_array_is_refused(chumpy: types.SimpleNamespace, tmp_path: Path) -> None:
    stored = fields()
    stored["v_template"] = with_state(chumpy.transpose, a=1)
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(stored))
    with pytest.raises(ModelFileError, match="computed"):
        load_body_model(path)


class _Call:
    def __init__(self, function: object, *arguments: object) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return self.call


def test_no_function_is_called_by_a_pickle(tmp_path: Path) -> None:
    import os
    import subprocess

    mark = tmp_path / "mark"
    for call in (
        _Call(os.mkdir, str(mark)), _Call(subprocess.run, ["mkdir", str(mark)]),
        _Call(eval, f"__import__('os').mkdir({str(mark)!r})"), _Call(getattr, mark, "mkdir"),
        _Call(np.load, str(mark)),
    ):  # fmt: skip
        path = tmp_path / "model.pkl"
        path.write_bytes(pickle.dumps({**fields(), "v_template": call}))
        with pytest.raises(ModelFileError, match="not an SMPL body"):
            load_body_model(path)
    assert not mark.exists()


@pytest.mark.parametrize("kind", ["npz", "pkl"])
def test_a_damaged_file_gives_one_sentence(tmp_path: Path, kind: str) -> None:
    """Cut short anywhere, or with any byte changed: read, or refused with a ModelFileError."""
    rng = np.random.default_rng(4)
    whole = tmp_path / "whole.npz"
    np.savez_compressed(whole, **fields())
    data = whole.read_bytes() if kind == "npz" else pickle.dumps(fields(), protocol=2)
    path = tmp_path / f"model.{kind}"
    for cut in rng.integers(0, len(data), 25):
        path.write_bytes(data[:cut])
        with pytest.raises(ModelFileError) as caught:
            load_body_model(path)
        assert path.name in str(caught.value) and "\n" not in str(caught.value)
    head = np.concatenate([rng.integers(0, 400, 30), rng.integers(0, len(data), 20)])
    for place in head:
        changed = bytearray(data)
        changed[place] ^= int(rng.integers(1, 256))
        path.write_bytes(changed)
        with contextlib.suppress(ModelFileError):
            load_body_model(path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("shapedirs", np.zeros((COUNT, 3))), ("v_template", np.float64(1)),
        ("v_template", np.full((COUNT, 3), np.nan)), ("f", np.zeros((0, 3), int)),
        ("part", np.zeros(COUNT + 1)), ("posedirs", np.ones((COUNT, 3, 9))),
        ("weights", np.array(["a", "b"])),
    ],
)  # fmt: skip
def test_wrong_fields_are_refused(tmp_path: Path, name: str, value: object) -> None:
    with pytest.raises(ModelFileError):
        load_body_model(saved(tmp_path, {**fields(), name: value}))


# -- where files are --------------------------------------------------------------------------


def test_the_named_folder_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "body.npz").write_bytes(b"")
    monkeypatch.setenv(model_files.ENVIRONMENT_VARIABLE, str(tmp_path))
    assert model_path("body.npz") == tmp_path / "body.npz"
    with pytest.raises(ModelFileError, match=r"absent.npz is missing: run 'make models'"):
        model_path("absent.npz")


# -- what else the default body's file holds --------------------------------------------------


def test_default_body_carries_uv_and_facial_actions() -> None:
    with np.load(model_path("body.npz")) as archive:
        held = {key: archive[key] for key in archive.files}
    count, faces = len(held["v_template"]), held["f"]
    assert np.array_equal(held["kintree_table"][0], PARENTS)
    assert held["ft"].shape == faces.shape and held["ft"].max() < len(held["vt"])
    # A texture vertex belongs to one vertex only: seams split vertices, never merge them.
    owner = np.full(len(held["vt"]), -1)
    owner[held["ft"]] = faces
    assert np.array_equal(owner[held["ft"]], faces)
    assert held["vt"].min() >= 0 and held["vt"].max() <= 1
    names = [str(name) for name in held["facial_action_names"]]
    assert len(set(names)) == 52 and {"jawOpen", "eyeBlinkLeft", "mouthSmileRight"} <= set(names)
    actions = held["facial_actions"].astype(np.float32)
    assert actions.shape == (52, count, 3)
    moved = np.abs(actions).max(axis=(1, 2))
    # The tongue is left out of the body: nothing of it is seen in a photo.
    assert (moved[np.array(names) != "tongueOut"] > 5e-4).all() and moved.max() < 0.06
    jaw = actions[names.index("jawOpen")]
    assert jaw[np.abs(jaw).max(axis=1).argmax()][1] < -0.005  # the chin goes down
    # Only the face and the throat move, and each eye blinks on its own side.
    face = held["v_template"][np.abs(actions).max(axis=(0, 2)) > 1e-4]
    assert face[:, 1].min() > held["J_regressor"][JOINT["neck"]] @ held["v_template"][:, 1] - 0.04
    for side, sign in (("Left", 1), ("Right", -1)):
        blink = np.abs(actions[names.index(f"eyeBlink{side}")]).max(axis=1)
        assert 0.02 < sign * (blink @ held["v_template"][:, 0]) / blink.sum() < 0.05


def test_default_body_is_symmetric_and_its_shapes_have_unit_scale() -> None:
    from scipy.spatial import cKDTree

    with np.load(model_path("body.npz")) as archive:
        template, shapes, faces = archive["v_template"], archive["shapedirs"], archive["f"]
    mirror = template * np.float32([-1, 1, 1])
    distance, _partner = cKDTree(template).query(mirror)
    assert distance.max() < 1e-4
    assert (np.diff(np.linalg.norm(shapes, axis=(0, 1))) < 0).all()  # largest first
    # Two deviations of any direction leave a person's skin: no triangle turns inside out.
    normal = np.cross(*(template[faces[:, k]] - template[faces[:, 0]] for k in (1, 2)))
    for direction in shapes.transpose(2, 0, 1):
        for sign in (-2, 2):
            other = template + sign * direction
            turned = np.cross(*(other[faces[:, k]] - other[faces[:, 0]] for k in (1, 2)))
            assert (np.einsum("fc,fc->f", normal, turned) > 0).mean() > 0.985
    assert 0.01 < np.linalg.norm(shapes[..., 0], axis=1).max() < 0.15
