"""SMPL, SMPL-H and SMPL-X files: what is folded into 24 joints, what is refused, and how."""

from __future__ import annotations

import io
import pickle
import pickletools
import zipfile
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
import torch
from scipy.spatial import cKDTree

from photo_wake_up.addon.core.body.fit import body_fit
from photo_wake_up.addon.core.body.fit.landmark_points import vertex_landmarks
from photo_wake_up.addon.core.body.model import array_pickles, body_files
from photo_wake_up.addon.core.body.model.body_files import load_body_model
from photo_wake_up.addon.core.body.model.body_model import BodyModel
from photo_wake_up.addon.core.body.model.facial_actions import FACIAL_ACTIONS, facing_action
from photo_wake_up.addon.core.body.model.posed import silhouette_iou
from photo_wake_up.addon.core.body.model.skeleton import JOINT, PARENTS, SMPL_JOINTS
from photo_wake_up.addon.core.body.model.skinning import skin, skinned_points
from photo_wake_up.addon.core.body.rasterisation import render_maps
from photo_wake_up.addon.core.body.world_pose import skeleton_of
from photo_wake_up.addon.core.character.build import CharacterSettings, build_character
from photo_wake_up.addon.core.errors import ModelFileError
from photo_wake_up.addon.core.inference.model_files import model_path
from photo_wake_up.addon.core.types import Crop
from photo_wake_up.assets.fit_cases.observed import observed

from .test_body import FACING, posed

Fields = dict[str, np.ndarray]

# The formats' joints by name, in the order in which their authors document them.
BODY = SMPL_JOINTS[:22]
FACE = ("jaw", "left_eye", "right_eye")
FINGERS = tuple(
    f"{side}_{finger}{number}"
    for side in ("left", "right")
    for finger in ("index", "middle", "pinky", "ring", "thumb")
    for number in (1, 2, 3)
)
JOINTS = {"SMPL": SMPL_JOINTS, "SMPL-H": BODY + FINGERS, "SMPL-X": BODY + FACE + FINGERS}
VERTICES = {"SMPL": 6890, "SMPL-H": 6890, "SMPL-X": 10475}
DIRECTIONS = {"SMPL": 10, "SMPL-H": 16, "SMPL-X": 400}
PELVIS = np.array([0.003, -0.35, 0.012])  # about where SMPL-X' pelvis is in its own axes


def owner(joint: str) -> str:
    """The joint of SMPL that moves a joint's vertices."""
    if joint in SMPL_JOINTS:
        return joint
    if joint in FACE:
        return "head"
    return joint.split("_", maxsplit=1)[0] + ("_wrist" if "thumb" in joint else "_hand")


def parent(joint: str) -> str:
    """A joint's parent by name: fingers are chains that begin at the wrist."""
    if joint in SMPL_JOINTS:
        return SMPL_JOINTS[PARENTS[JOINT[joint]]]
    if joint in FACE:
        return "head"
    number = int(joint[-1])
    return (
        joint.split("_", maxsplit=1)[0] + "_wrist" if number == 1 else f"{joint[:-1]}{number - 1}"
    )


def with_joints(name: str, weights: np.ndarray, regressor: np.ndarray, seed: int = 0) -> Fields:
    """SMPL's weights (V, 24) and regressor (24, V), spread over a format's joints at random."""
    rng = np.random.default_rng(seed)
    names = JOINTS[name]
    spread = np.zeros((len(weights), len(names)))
    for joint, label in enumerate(SMPL_JOINTS):
        takers = [k for k, other in enumerate(names) if owner(other) == label]
        share = rng.dirichlet(np.ones(len(takers)), len(weights))
        spread[:, takers] = weights[:, joint, None] * share
    rows = np.zeros((len(names), weights.shape[0]))
    for k, label in enumerate(names):
        rows[k] = regressor[JOINT[owner(label)]]
    if name != "SMPL":
        for side in ("left", "right"):
            # Three knuckles whose mean is SMPL's joint; other finger joints are anywhere.
            near = rng.normal(0, 1e-3, (3, len(weights))) * (regressor[JOINT[f"{side}_hand"]] > 0)
            near -= near.mean(axis=0)
            for finger, offset in zip(("index", "middle", "ring"), near, strict=True):
                rows[names.index(f"{side}_{finger}1")] += offset
            for label in names:
                if label.startswith(f"{side}_") and label[-1] in "23":
                    rows[names.index(label)] = rng.dirichlet(np.full(len(weights), 0.01))
    parents = [0xFFFFFFFF] + [names.index(parent(label)) for label in names[1:]]
    table = np.array([parents, range(len(names))], np.uint32)
    return {"weights": spread, "J_regressor": rows, "kintree_table": table}


def small(name: str, count: int = 60, seed: int = 0) -> Fields:
    """The fields of a format's file with a random small body."""
    rng = np.random.default_rng(seed)
    joints = len(JOINTS[name])
    return {
        "v_template": rng.normal(size=(count, 3)),
        "shapedirs": rng.normal(0, 0.1, (count, 3, DIRECTIONS[name])),
        "posedirs": rng.normal(0, 0.01, (count, 3, 9 * (joints - 1))),
        "f": rng.integers(0, count, (30, 3)).astype(np.uint32),
        **with_joints(
            name, rng.dirichlet(np.full(24, 0.2), count), rng.dirichlet(np.full(count, 0.2), 24)
        ),
    }


def whole(name: str, body: BodyModel, seed: int = 0) -> Fields:
    """The fields of a format's file with its number of vertices, shaped like the default body.

    Vertices are taken out of the default body, triangles go over to the nearest that are left.
    The pelvis is not in the origin, as in the files of SMPL's authors.
    """
    rng = np.random.default_rng(seed)
    count, joints, directions = VERTICES[name], len(JOINTS[name]), DIRECTIONS[name]
    kept = np.sort(rng.choice(len(body.template), count, replace=False))
    nearest = cKDTree(body.template[kept]).query(body.template)[1]
    faces = nearest[body.faces]
    faces = faces[(np.diff(faces[:, [0, 1, 2, 0]], axis=1) != 0).all(axis=1)]
    regressor = np.zeros((24, count))
    for joint in range(24):
        regressor[joint] = np.bincount(nearest, body.regressor[joint], count)
    regressor /= regressor.sum(axis=1, keepdims=True)
    shapes = rng.standard_normal((count, 3, directions), np.float32) * np.float32(0.002)
    shapes[:, :, :10] = body.shapes[kept][:, :, :10]
    shapes[:, :, 300:] *= 100  # expressions; taken for a shape, they would be seen
    posedirs = rng.standard_normal((count, 3, 9 * (joints - 1)), np.float32) * np.float32(1e-4)
    return {
        "v_template": body.template[kept].astype(np.float64) + PELVIS,
        "shapedirs": shapes,
        "posedirs": posedirs,
        "f": faces.astype(np.uint32),
        **with_joints(name, body.weights[kept].astype(np.float64), regressor, seed),
    }


def saved(folder: Path, fields: Fields, kind: str = "npz", stem: str = "model") -> Path:
    path = folder / f"{stem}.{kind}"
    if kind == "npz":
        np.savez(path, **fields)
    else:
        sparse = {"J_regressor": scipy.sparse.csc_matrix(fields["J_regressor"])}
        path.write_bytes(pickle.dumps({**fields, **sparse}, protocol=2))
    return path


# -- what is read -----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["npz", "pkl"])
@pytest.mark.parametrize("name", JOINTS)
def test_bodies_agree_with_smplx(body: BodyModel, tmp_path: Path, name: str, kind: str) -> None:
    """Vertices and joints, for random shapes and poses, with face and fingers at rest."""
    smplx = pytest.importorskip("smplx")
    from smplx.joint_names import JOINT_NAMES
    from smplx.utils import Struct

    assert name != "SMPL-X" or [n.removesuffix("_smplhf") for n in JOINT_NAMES[:55]] == list(
        JOINTS[name]
    )
    fields = whole(name, body)
    # What smplx wants to see besides.
    for side in "lr":
        fields[f"hands_components{side}"], fields[f"hands_mean{side}"] = np.eye(45), np.ones(45)
    fields["lmk_faces_idx"], fields["lmk_bary_coords"] = np.zeros(51, int), np.ones((51, 3)) / 3
    path = saved(tmp_path, fields, kind)
    read = load_body_model(path)
    flat = {"use_pca": False, "flat_hand_mean": True, "num_betas": 16, "batch_size": 2}
    if name == "SMPL-X":
        reference = smplx.SMPLX(model_path=str(path), ext=kind, **flat)
    else:
        made = smplx.SMPL if name == "SMPL" else smplx.SMPLH
        reference = made(model_path="", data_struct=Struct(**fields), **flat)
    rng = np.random.default_rng(5)
    # smplx itself takes ten shapes of files that have fewer than three hundred.
    betas = torch.tensor(rng.normal(size=(2, 16 if name == "SMPL-X" else 10)), dtype=torch.float32)
    angles = torch.tensor(rng.normal(0, 0.6, (2, 24, 3)), dtype=torch.float32)
    if name != "SMPL":
        angles[:, 22:] = 0
    move = torch.tensor(rng.normal(size=(2, 3)), dtype=torch.float32)
    with torch.no_grad():
        expected = reference(
            betas=betas, global_orient=angles[:, 0], transl=move,
            body_pose=angles[:, 1 : 24 if name == "SMPL" else 22].reshape(2, -1),
        )  # fmt: skip
    points = skinned_points(read)
    posed = [
        skin(points, *(a[each].double().numpy() for a in (betas, angles, move)))
        for each in range(2)
    ]
    vertices, joints = np.array([p.vertices for p in posed]), np.array([p.joints for p in posed])
    assert vertices.shape[1] == VERTICES[name]
    assert np.abs(vertices - expected.vertices.numpy()).max() < 1e-5
    assert np.abs(joints[:, :22] - expected.joints[:, :22].numpy()).max() < 1e-5
    for hand in ("left_hand", "right_hand"):
        roots = [
            k
            for k, label in enumerate(JOINTS[name])
            if label == hand
            or label in [hand.replace("hand", f"{f}1") for f in ("index", "middle", "ring")]
        ]
        mean = expected.joints[:, roots].mean(dim=1).numpy()
        assert np.abs(joints[:, JOINT[hand]] - mean).max() < 1e-5


@pytest.mark.parametrize("sex", ["MALE", "FEMALE", "NEUTRAL"])
@pytest.mark.parametrize("kind", ["npz", "pkl"])
@pytest.mark.parametrize("name", JOINTS)
def test_a_folded_body_is_the_one_it_was_made_of(
    tmp_path: Path, name: str, kind: str, sex: str
) -> None:
    fields = small(name, seed=len(sex))
    read = load_body_model(saved(tmp_path, fields, kind, f"{name.replace('-', '')}_{sex}"))
    same = load_body_model(saved(tmp_path, small("SMPL", seed=len(sex)), stem="same"))
    assert read.name.endswith(sex)
    assert np.abs(read.weights.sum(axis=1) - 1).max() < 1e-5
    assert np.abs(read.weights - same.weights).max() < 1e-6 or name != "SMPL"
    assert np.array_equal(read.template, np.float32(fields["v_template"]))
    assert np.array_equal(read.faces, fields["f"])
    shapes = min(16, DIRECTIONS[name])
    assert np.array_equal(read.shapes, np.float32(fields["shapedirs"][:, :, :shapes]))
    for joint, label in enumerate(SMPL_JOINTS):
        owned = [k for k, other in enumerate(JOINTS[name]) if owner(other) == label]
        expected = fields["weights"][:, owned].sum(axis=1)
        assert np.abs(read.weights[:, joint] - expected).max() < 1e-6
    directions = read.correctives.reshape(207, -1, 3).transpose(1, 2, 0)
    shared = 207 if name == "SMPL" else 189
    assert np.array_equal(directions[..., :shared], np.float32(fields["posedirs"][..., :shared]))
    assert not directions[..., shared:].any()


@pytest.mark.parametrize("name", ["SMPL-H", "SMPL-X"])
def test_a_hand_moves_its_own_fingers_alone(tmp_path: Path, name: str) -> None:
    fields = small(name)
    strongest = np.arange(60) % len(JOINTS[name])  # each vertex follows one joint of the file
    fields["weights"] = np.eye(len(JOINTS[name]))[strongest]
    read = skinned_points(load_body_model(saved(tmp_path, fields)))
    for side in ("left", "right"):
        pose = np.zeros((24, 3))
        rest = skin(read, np.zeros(1), pose, np.zeros(3)).vertices
        pose[JOINT[f"{side}_hand"]] = [0.3, 0.5, -0.4]
        turned = skin(read, np.zeros(1), pose, np.zeros(3)).vertices
        moved = np.abs(turned - rest).max(axis=1) > 1e-6
        fingers = [
            label.startswith(f"{side}_") and label in FINGERS and "thumb" not in label
            for label in np.array(JOINTS[name])[strongest]
        ]
        assert moved.any() and np.array_equal(moved, fingers)


@pytest.mark.parametrize(("directions", "shapes"), [(400, 16), (300, 16), (20, 10), (4, 4)])
def test_expressions_are_no_shapes(tmp_path: Path, directions: int, shapes: int) -> None:
    fields = small("SMPL-X")
    fields["shapedirs"] = fields["shapedirs"][:, :, :directions]
    read = load_body_model(saved(tmp_path, fields))
    assert np.array_equal(read.shapes, np.float32(fields["shapedirs"][:, :, :shapes]))


@pytest.mark.parametrize("root", [-1, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF])
def test_the_pelvis_has_no_parent_however_that_is_written(tmp_path: Path, root: int) -> None:
    fields = small("SMPL-H")
    kind = {-1: np.int64, 0xFFFFFFFF: np.uint32}.get(root, np.uint64)
    table = fields["kintree_table"].astype(kind)
    table[0, 0] = root
    load_body_model(saved(tmp_path, {**fields, "kintree_table": table}))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_of_any_protocol_are_read(tmp_path: Path, protocol: int) -> None:
    fields = small("SMPL-X")
    fields["shapedirs"] = np.asfortranarray(fields["shapedirs"].astype(">f4"))
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(fields, protocol=protocol))
    read = load_body_model(path)
    assert np.array_equal(read.shapes, np.float32(fields["shapedirs"][:, :, :16]))
    assert np.array_equal(read.template, np.float32(fields["v_template"]))


def test_a_file_is_what_it_holds_not_what_it_is_called(tmp_path: Path) -> None:
    path = saved(tmp_path, small("SMPL-X"))
    assert load_body_model(path.rename(tmp_path / "model.PKL")).shape_count == 16


def test_objects_beside_the_arrays_are_left_alone(tmp_path: Path) -> None:
    """SMPL-X's own files hold tables of names as pickled objects."""
    path = tmp_path / "model.npz"
    np.savez(path, part2num=np.array({"head": 1}, dtype=object), **small("SMPL-X"))
    load_body_model(path)


# -- what is refused --------------------------------------------------------------------------


def refusal(path: Path) -> str:
    """What is said of a file that is refused: one sentence that names it and says what to do."""
    with pytest.raises(ModelFileError) as caught:
        load_body_model(path)
    said = str(caught.value)
    assert path.name in said and "\n" not in said and len(said) < 300
    assert said.endswith("choose an SMPL, SMPL-H or SMPL-X file, .npz or .pkl.")
    return said


def other_joints(count: int) -> Fields:
    return {
        **small("SMPL"),
        "weights": np.full((60, count), 1 / count),
        "J_regressor": np.full((count, 60), 1 / 60),
        "kintree_table": np.array([[0, *range(count - 1)], range(count)]),
    }


def changed(**values: object) -> Fields:
    return {**small("SMPL-X"), **values}


def missing(key: str) -> Fields:
    fields = small("SMPL-H")
    del fields[key]
    return fields


WRONG = {
    "FLAME": (other_joints(5), "5 joints (FLAME's, a head) where SMPL has 24"),
    "MANO": (other_joints(16), "16 joints (MANO's, a hand)"),
    "animal": (other_joints(33), "33 joints (SMAL's, an animal)"),
    "unknown": (other_joints(30), "30 joints where SMPL has 24, SMPL-H 52 and SMPL-X 55"),
    "chain": (other_joints(55), "its joint 2 hangs on joint 1, SMPL-X's on 0"),
    "tree": (changed(kintree_table=np.arange(55)), "'kintree_table' has the shape (55,)"),
    "nothing": ({"poses": np.zeros(3)}, "it holds no body"),
    **{f"no {key}": (missing(key), f"'{key}' is missing") for key in body_files._NEEDED},
    "weights": (changed(weights=np.zeros((60, 24))), "'weights' has the shape (60, 24)"),
    "sums": (changed(weights=np.zeros((60, 55))), "do not sum to one"),
    "flat": (changed(shapedirs=np.zeros((60, 3))), "'shapedirs' has the shape (60, 3)"),
    "no shapes": (changed(shapedirs=np.zeros((60, 3, 0))), "'shapedirs' has the shape (60, 3, 0)"),
    "point": (changed(v_template=np.float64(1)), "'v_template' has the shape ()"),
    "nan": (changed(v_template=np.full((60, 3), np.nan)), "'v_template' holds numbers that"),
    "infinite": (changed(posedirs=np.full((60, 3, 486), np.inf)), "'posedirs' holds numbers"),
    "text": (changed(weights=np.array(["a", "b"])), "'weights' does not hold numbers"),
    "turned": (changed(posedirs=np.ones((486, 180))), "'posedirs' has the shape (486, 180)"),
    "STAR": (changed(posedirs=np.ones((60, 3, 93))), "STAR's are of another kind"),
    "far": (changed(f=np.full((4, 3), 2**33)), "triangles point beyond its vertices"),
    "part": (changed(part=np.full(60, 7)), "'part' holds parts"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_wrong_files_say_what_was_found(tmp_path: Path, case: str) -> None:
    fields, found = WRONG[case]
    assert found in refusal(saved(tmp_path, fields))


def test_an_array_that_was_saved_as_an_object_is_not_unpickled(tmp_path: Path) -> None:
    """What np.savez makes of a pickle's sparse regressor."""
    regressor = np.array(scipy.sparse.csc_matrix(np.eye(55)), dtype=object)
    said = refusal(saved(tmp_path, changed(J_regressor=regressor)))
    assert "'J_regressor' is stored as a Python object" in said


def test_files_that_are_no_bodies(tmp_path: Path) -> None:
    path = tmp_path / "models.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("smplx/SMPLX_MALE.npz", b"")
    assert "unpacked first" in refusal(path)
    path = tmp_path / "mesh.obj"
    path.write_text("v 0 0 0\n")
    refusal(path)
    path.write_bytes(b"")
    refusal(path)
    path.write_bytes(pickle.dumps([1, 2]))
    assert "does not hold a table of arrays" in refusal(path)
    path.write_bytes(pickle.dumps({**small("SMPL"), "v_template": [[0.0, 0.0, 0.0]]}))
    assert "computed, not stored" in refusal(path)
    assert "cannot be read" in refusal(tmp_path / "absent.npz")
    assert "cannot be read" in refusal(tmp_path)


@pytest.mark.parametrize("kind", ["npz", "pkl"])
def test_a_truncated_file_is_refused(tmp_path: Path, kind: str) -> None:
    path = saved(tmp_path, small("SMPL-X"), kind)
    data = path.read_bytes()
    for share in (0.01, 0.3, 0.9, 0.9999):
        path.write_bytes(data[: int(len(data) * share)])
        refusal(path)


# -- files that claim more than they hold -----------------------------------------------------


def test_an_array_that_claims_gigabytes_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "model.npz"
    np.savez(path, **{k: v for k, v in small("SMPL").items() if k != "shapedirs"})
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f8", "fortran_order": False, "shape": (60, 3, 10**12)}
    )
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("shapedirs.npy", header.getvalue() + bytes(800))
    assert "'shapedirs' is cut short" in refusal(path)


def test_files_and_their_contents_have_a_largest_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(body_files, "MOST_BYTES", 2**20)
    path = saved(tmp_path, changed(posedirs=np.zeros((60, 3, 10_000))))
    assert "larger than 1 MB" in refusal(path)
    np.savez_compressed(path, **changed(posedirs=np.zeros((60, 3, 10_000))))
    assert path.stat().st_size < 2**20
    assert "claims more than 1 MB" in refusal(path)


def pickled(path: Path, **values: object) -> Path:
    path.write_bytes(pickle.dumps({**small("SMPL"), **values}, protocol=2))
    return path


def test_pickles_get_no_memory_for_what_they_claim(tmp_path: Path) -> None:
    path = tmp_path / "model.pkl"
    # A matrix of eight terabytes, nearly all of it zero.
    huge = scipy.sparse.csc_matrix((10**6, 10**6))
    assert "larger than a body's" in refusal(pickled(path, J_regressor=huge))
    # Entries beyond the matrix, which SciPy's own conversion would write beyond its memory.
    beyond = scipy.sparse.csc_matrix(np.eye(24, 60))
    beyond.indices = beyond.indices + 10**6
    refusal(pickled(path, J_regressor=beyond))
    # An array that is told to be larger than its bytes.
    data = pickle.dumps(small("SMPL"), protocol=2)
    claimed = data.replace(b"K<K\x03", b"J\xff\xff\xff\x7fK\x03", 1)
    assert claimed != data
    path.write_bytes(claimed)
    refusal(path)
    # Room for four thousand million remembered objects.
    path.write_bytes(b"\x80\x02}r\xff\xff\xff\xff.")
    assert "more objects than a body has" in refusal(path)
    assert [code.name for code, _, _ in pickletools.genops(path.read_bytes())][2] == "LONG_BINPUT"


def test_nothing_of_numpy_is_made_while_a_pickle_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Objects of NumPy believe what a pickle tells of them; stand-ins keep it to be checked."""
    seen = []
    found = array_pickles._ArraysOnly.find_class

    def watched(self: object, module: str, name: str) -> object:
        seen.append(found(self, module, name))
        return seen[-1]

    monkeypatch.setattr(array_pickles._ArraysOnly, "find_class", watched)
    wanted = {"v_template"}
    values = array_pickles.read_arrays(pickle.dumps(small("SMPL"), protocol=2), wanted)
    assert set(values) == wanted and len(seen) >= 3
    assert all(getattr(thing, "__module__", "") == array_pickles.__name__ for thing in seen)


# -- bodies of others through all that follows ------------------------------------------------


@pytest.fixture(scope="module", params=["SMPL-H", "SMPL-X"])
def other(
    request: pytest.FixtureRequest, body: BodyModel, tmp_path_factory: pytest.TempPathFactory
) -> BodyModel:
    """A body with another's numbers of vertices and joints, and its pelvis off the origin."""
    fields = whole(request.param, body)
    fields["shapedirs"] = fields["shapedirs"].copy()
    fields["shapedirs"][:, :, 10:] = 0
    return load_body_model(saved(tmp_path_factory.mktemp("bodies"), fields))


def test_landmarks_are_found_by_geometry(body: BodyModel, other: BodyModel) -> None:
    expected = {name: body.template[at] for name, at in vertex_landmarks(body).items()}
    for name, at in vertex_landmarks(other).items():
        # A mesh with half of the vertices has none at the very same places.
        assert np.linalg.norm(other.template[at] - PELVIS - expected[name]) < 0.02, name
    assert np.isin(np.unique(other.part), range(1, 7)).all()


def test_a_body_that_lies_is_refused_in_a_sentence(body: BodyModel, tmp_path: Path) -> None:
    fields = small("SMPL")
    lying = load_body_model(saved(tmp_path, fields))
    object.__setattr__(lying, "template", np.zeros_like(lying.template))
    with pytest.raises(ModelFileError, match="choose a body in T-pose"):
        vertex_landmarks(lying)


def test_another_body_is_fitted_drawn_and_built(other: BodyModel) -> None:
    angles = np.zeros((24, 3))
    angles[0] = FACING
    angles[JOINT["left_shoulder"], 2], angles[JOINT["right_shoulder"], 2] = -1.0, 1.0
    truth = posed(other, angles)
    assert np.ptp(truth.vertices[:, 1]) == pytest.approx(1.7, abs=0.15)
    photo, person = observed(other, truth, np.random.default_rng(1), 1.0, 0.02, 0.0)
    found = body_fit.fit_body(photo, person, other)
    difference = found.joints - found.joints[0] - (truth.joints - truth.joints[0])
    assert np.linalg.norm(difference[:22], axis=1).mean() < 0.05
    assert silhouette_iou(other, found, person.mask) > 0.88
    # The lowest point stands on the ground, the pelvis over the origin, wherever the file has it.
    joints = skeleton_of(other, found).joints
    assert np.abs(joints[0, :2]).max() < 1e-6 and 0.7 < joints[0, 2] < 1.1
    maps = render_maps(other, found, Crop(0, 0, 0.5, 400, 500))
    assert maps.front.vertex.max() < len(other.template)
    if len(other.template) != VERTICES["SMPL-X"]:
        return  # building takes some seconds, and does it once
    character = build_character(
        photo, person, other, found, settings=CharacterSettings(triangles=4000)
    ).character
    assert np.isfinite(character.vertices).all()
    assert 1.5 < np.ptp(character.vertices[:, 2]) < 1.9


def test_the_default_body_keeps_its_facial_actions(body: BodyModel, tmp_path: Path) -> None:
    with np.load(model_path("body.npz")) as file:
        offsets, names = file["facial_actions"], file["facial_action_names"]
    assert body.facial_actions is not None and body.facial_actions.dtype == np.float32
    assert body.facial_actions.shape == (len(FACIAL_ACTIONS), len(body.template), 3)
    assert np.array_equal(body.facial_actions, offsets.astype(np.float32))
    assert body.facial_action_names == tuple(names) == FACIAL_ACTIONS
    # Names and offsets belong together: the jaw's point down, and a wink is one side's.
    offset = dict(zip(body.facial_action_names, body.facial_actions, strict=True))
    assert offset["jawOpen"][:, 1].min() < -0.01
    for side, sign in (("Left", 1), ("Right", -1)):
        amount = np.linalg.norm(offset[f"eyeBlink{side}"], axis=1)
        assert sign * np.average(body.template[:, 0], weights=amount) > 0.02
    assert load_body_model(saved(tmp_path, small("SMPL"))).facial_actions is None
    assert load_body_model(saved(tmp_path, small("SMPL"), "pkl")).facial_action_names == ()


@pytest.mark.parametrize(
    ("offsets", "names", "said"),
    [
        (np.zeros((2, 59, 3)), np.array(["a", "b"]), "(2, 60, 3)"),
        (np.zeros((2, 60, 3)), np.array(["a"]), "(1, 60, 3)"),
        (np.full((1, 60, 3), np.nan), np.array(["a"]), "not finite"),
        (np.zeros((2, 60, 3)), np.array(["a", "a"]), "distinct names"),
        (np.zeros((2, 60, 3)), np.array([1, 2]), "distinct names"),
    ],
)
def test_facial_actions_that_do_not_fit_are_refused(
    tmp_path: Path, offsets: np.ndarray, names: np.ndarray, said: str
) -> None:
    fields = small("SMPL") | {"facial_actions": offsets, "facial_action_names": names}
    assert said in refusal(saved(tmp_path, fields))


def test_every_facial_action_has_one_that_a_mirror_shows() -> None:
    shown = [facing_action(name) for name in FACIAL_ACTIONS]
    assert sorted(shown) == sorted(FACIAL_ACTIONS)
    assert [facing_action(name) for name in shown] == list(FACIAL_ACTIONS)
    assert facing_action("eyeBlinkLeft") == "eyeBlinkRight"
    assert facing_action("jawOpen") == "jawOpen"
