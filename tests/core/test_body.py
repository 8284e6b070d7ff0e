"""The SMPL-format body: skinning, files, poses in the world, maps, and the fit."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

from photo_wake_up.addon.core import frames
from photo_wake_up.addon.core.body import world_pose
from photo_wake_up.addon.core.body.fit.landmark_points import vertex_landmarks
from photo_wake_up.addon.core.body.model.body_files import load_body_model
from photo_wake_up.addon.core.body.model.body_model import BodyModel
from photo_wake_up.addon.core.body.model.parts import LEFT_ARM, RIGHT_ARM, RIGHT_LEG
from photo_wake_up.addon.core.body.model.posed import posed_body
from photo_wake_up.addon.core.body.model.skeleton import JOINT, PARENTS
from photo_wake_up.addon.core.body.model.skinning import skin, skinned_points
from photo_wake_up.addon.core.body.rasterisation import render_maps
from photo_wake_up.addon.core.errors import ModelFileError
from photo_wake_up.addon.core.inference.model_files import model_path
from photo_wake_up.addon.core.perception.landmarks.pose_landmarks import LANDMARK
from photo_wake_up.addon.core.types import (
    Camera,
    Crop,
    FittedBody,
)

FACING = np.array([np.pi, 0.0, 0.0])  # body frame to camera frame, looking into the camera


def posed(
    body: BodyModel, axis_angle: np.ndarray, betas: np.ndarray | None = None, distance: float = 4.0
) -> FittedBody:
    camera = Camera(900.0, 399.5, 499.5, 800, 1000)
    betas = np.zeros(body.shape_count) if betas is None else betas
    return posed_body(body, camera, betas, axis_angle, np.array([0.1, 0.05, distance]), 1.7)


def random_pose(seed: int, strength: float = 0.4) -> np.ndarray:
    angles = np.random.default_rng(seed).normal(0, strength, (24, 3))
    angles[0] = FACING
    return angles


# -- skinning ---------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_skinning_agrees_with_smplx(body: BodyModel, seed: int) -> None:
    smplx = pytest.importorskip("smplx")
    from smplx.utils import Struct

    with np.load(model_path("body.npz")) as archive:
        data = Struct(**{key: archive[key] for key in archive.files})
    reference = smplx.SMPL(model_path="", data_struct=data, num_betas=10, batch_size=2)
    rng = np.random.default_rng(seed)
    betas = torch.tensor(rng.normal(size=(2, 10)), dtype=torch.float32)
    angles = torch.tensor(rng.normal(0, 0.7, (2, 24, 3)), dtype=torch.float32)
    move = torch.tensor(rng.normal(size=(2, 3)), dtype=torch.float32)
    with torch.no_grad():
        expected = reference(
            betas=betas, body_pose=angles[:, 1:].reshape(2, -1),
            global_orient=angles[:, 0], transl=move,
        )  # fmt: skip
    for each in range(2):
        posed = skin(
            skinned_points(body), *(a[each].double().numpy() for a in (betas, angles, move))
        )
        assert np.abs(posed.vertices - expected.vertices[each].numpy()).max() < 1e-5
        assert np.abs(posed.joints - expected.joints[each, :24].numpy()).max() < 1e-5
        assert np.array_equal(posed.transforms[:, 3], np.tile([0.0, 0.0, 0.0, 1.0], (24, 1)))


def test_zero_pose_is_the_template(body: BodyModel) -> None:
    posed = skin(skinned_points(body), np.zeros(4), np.zeros((24, 3)), np.zeros(3))
    assert np.abs(posed.vertices - body.template).max() < 1e-12


def test_a_selection_of_vertices_moves_as_in_the_whole(body: BodyModel) -> None:
    chosen = np.array([3, 500, 12000])
    args = np.full(body.shape_count, 0.5), random_pose(1), np.ones(3)
    whole = skin(skinned_points(body), *args)
    for part in (skinned_points(body, chosen), skinned_points(body)[chosen]):
        posed = skin(part, *args)
        assert np.abs(whole.vertices[chosen] - posed.vertices).max() < 1e-12
        assert np.array_equal(whole.joints, posed.joints)


def test_default_body_is_a_body_in_t_pose(body: BodyModel) -> None:
    joints = body.regressor @ body.template
    at = {name: joints[index] for name, index in JOINT.items()}
    assert np.ptp(body.template[:, 1]) == pytest.approx(1.7, abs=0.03)
    assert np.abs(body.weights.sum(axis=1) - 1).max() < 1e-5
    assert np.abs(body.regressor.sum(axis=1) - 1).max() < 1e-4
    for side, sign in (("left", 1), ("right", -1)):
        arm = [at[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist")]
        assert np.ptp([j[1] for j in arm]) < 0.02 and np.ptp([j[2] for j in arm]) < 0.02
        assert sign * arm[2][0] > sign * arm[1][0] > sign * arm[0][0] > 0.1
        leg = [at[f"{side}_{name}"] for name in ("hip", "knee", "ankle")]
        assert leg[0][1] > leg[1][1] > leg[2][1]
        assert np.ptp([j[0] for j in leg]) < 0.03
        assert at[f"{side}_foot"][2] > at[f"{side}_ankle"][2] + 0.05  # toes point forward
    assert at["head"][1] > at["neck"][1] > at["spine3"][1] > at["pelvis"][1]


def test_the_body_bends_where_people_bend(body: BodyModel) -> None:
    """Knee flexion brings the heel back, elbow flexion brings the hand forward."""
    angles = np.zeros((24, 3))
    angles[JOINT["left_knee"], 0] = np.pi / 2
    angles[JOINT["left_elbow"], 1] = -np.pi / 2
    angles[JOINT["right_elbow"], 1] = np.pi / 2
    joints = skin(skinned_points(body), np.zeros(1), angles, np.zeros(3)).joints
    assert joints[JOINT["left_ankle"], 2] < joints[JOINT["left_knee"], 2] - 0.2
    for side in ("left", "right"):
        assert joints[JOINT[f"{side}_wrist"], 2] > joints[JOINT[f"{side}_elbow"], 2] + 0.15


# -- files ------------------------------------------------------------------------------------


def smpl_fields(body: BodyModel) -> dict[str, object]:
    return {
        "v_template": body.template.astype(np.float64),
        "shapedirs": body.shapes,
        "posedirs": np.zeros((len(body.template), 3, 207)),
        "J_regressor": body.regressor,
        "weights": body.weights,
        "f": body.faces.astype(np.uint32),
        "kintree_table": np.array([PARENTS, range(24)]),
    }


def test_a_pickled_smpl_file_is_read(body: BodyModel, tmp_path: Path) -> None:
    import scipy.sparse

    fields = smpl_fields(body)
    fields["J_regressor"] = scipy.sparse.csc_matrix(fields["J_regressor"])
    path = tmp_path / "model.pkl"
    path.write_bytes(pickle.dumps(fields, protocol=2))
    read = load_body_model(path)
    assert np.allclose(read.template, body.template)
    assert np.allclose(read.regressor, body.regressor)
    assert read.correctives is None


class _Malicious:
    def __reduce__(self):
        return (print, ("this must not run",))


def test_a_pickle_that_would_run_code_is_refused(tmp_path: Path, capsys) -> None:
    path = tmp_path / "evil.pkl"
    path.write_bytes(pickle.dumps({"v_template": _Malicious()}))
    with pytest.raises(ModelFileError, match="not an SMPL body"):
        load_body_model(path)
    assert "must not run" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("weights", np.zeros((5, 24)), "weights"),
        ("J_regressor", np.zeros((55, 10)), "J_regressor"),
        ("f", np.full((4, 3), 10**7), "triangles"),
        ("v_template", None, "missing"),
    ],
)
def test_a_wrong_body_file_says_what_is_wrong(
    body: BodyModel, tmp_path: Path, field: str, value: object, message: str
) -> None:
    fields = smpl_fields(body)
    if value is None:
        del fields[field]
    else:
        fields[field] = value
    path = tmp_path / "model.npz"
    np.savez(path, **fields)
    with pytest.raises(ModelFileError, match=message):
        load_body_model(path)


def test_no_body_at_all(tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"not a pickle")
    for name in ("model.pkl", "absent.npz"):
        with pytest.raises(ModelFileError):
            load_body_model(tmp_path / name)


# -- poses in the world -----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_skeleton_and_pose_skin_the_rest_mesh_to_the_fitted_body(
    body: BodyModel, seed: int
) -> None:
    fitted = posed(body, random_pose(seed), np.linspace(-1, 1, body.shape_count))
    place = frames.world_from_camera(np.array([0.3, 0.9, 4.0]))
    skeleton, in_world = world_pose.skeleton_of(body, fitted), world_pose.pose_of(fitted, place)
    rest = (body.template + body.shapes @ fitted.betas) * fitted.scale
    rest = rest @ frames.WORLD_FROM_BODY_AXES.T
    rest += skeleton.joints[0] - fitted.rest_joints[0] @ frames.WORLD_FROM_BODY_AXES.T
    assert rest[:, 2].min() == pytest.approx(0, abs=1e-5)
    skinned = world_pose.skin_vertices(
        rest, body.weights, world_pose.skin_matrices(skeleton, in_world)
    )
    expected = frames.transform(place, fitted.vertices.astype(np.float64))
    assert np.abs(skinned - expected).max() < 1e-5


def test_height_is_as_asked(body: BodyModel) -> None:
    fitted = posed(body, np.zeros((24, 3)))
    assert np.ptp(fitted.vertices[:, 1]) == pytest.approx(1.7, abs=1e-4)


# -- maps -------------------------------------------------------------------------------------


def test_maps_show_the_body_from_the_front(body: BodyModel) -> None:
    angles = np.zeros((24, 3))
    angles[0] = FACING
    fitted = posed(body, angles)
    crop = Crop(0, 0, 0.5, 400, 500)
    maps = render_maps(body, fitted, crop)
    assert (maps.mask == np.isfinite(maps.back.depth)).all()
    thickness = (maps.back.depth - maps.front.depth)[maps.mask]
    assert thickness.min() >= 0 and 0.15 < thickness.max() < 0.45
    # Outward normals: the front looks at the camera, the back away from it.
    assert (maps.front.normal[maps.mask][:, 2] < 0.3).mean() > 0.99
    assert (maps.back.normal[maps.mask][:, 2] > -0.3).mean() > 0.99
    assert np.abs(maps.front.weights[maps.mask].sum(axis=1) - 1).max() < 1e-4
    # Facing the viewer, the left arm is on the picture's right.
    columns = {part: np.nonzero(maps.front.label == part)[1] for part in range(1, 7)}
    assert columns[LEFT_ARM].min() > columns[RIGHT_ARM].max()
    assert len(columns[RIGHT_LEG]) > 100
    # Pixel by pixel: a vertex that is seen lies where it projects, at its own depth.
    rows, cols = np.nonzero(maps.mask)
    seen = maps.front.vertex[rows, cols]
    at = frames.grid_from_photo(crop, frames.project(fitted.camera, fitted.vertices[seen]))
    assert np.abs(at - np.stack([cols, rows], axis=1)).max() < 8


def test_a_chosen_part_alone_is_drawn(body: BodyModel) -> None:
    angles = np.zeros((24, 3))
    angles[0] = FACING
    fitted = posed(body, angles)
    crop = Crop(0, 0, 0.5, 400, 500)
    arm = (body.part[body.faces] == LEFT_ARM).all(axis=1)
    whole, part = render_maps(body, fitted, crop), render_maps(body, fitted, crop, arm)
    assert part.mask.sum() > 500
    assert (part.mask & ~whole.mask).sum() == 0
    assert set(np.unique(part.front.label[part.mask])) == {LEFT_ARM}


# -- landmarks on the body ------------------------------------------------------------------


def test_landmark_vertices_are_where_the_landmarks_are(body: BodyModel) -> None:
    v = body.template[list(vertex_landmarks(body).values())]
    at = dict(zip(vertex_landmarks(body), v, strict=True))
    assert abs(at["nose"][0]) < 0.01 and at["nose"][2] > at["left_ear"][2] + 0.06
    assert at["left_ear"][0] > 0.05 > -0.05 > at["right_ear"][0]
    assert at["left_foot_index"][2] > at["left_heel"][2] + 0.18
    assert at["left_index"][2] > at["left_pinky"][2] + 0.03
    assert set(vertex_landmarks(body)) <= set(LANDMARK)
