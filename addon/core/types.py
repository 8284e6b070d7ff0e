"""The immutable values that flow from stage to stage.

Every array's shape, dtype, unit and frame is said here once; the frames
themselves (pixel, camera, body, world) are defined in `frames`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int32 = npt.NDArray[np.int32]
UInt8 = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.floating[Any]]  # of either precision
Integers = npt.NDArray[np.integer[Any]]  # of any width, signed or not
AnyArray = npt.NDArray[Any]


@dataclass(frozen=True)
class Progress:
    """How far a generator of work has come."""

    fraction: float  # 0..1 of the whole work
    message: str  # what is being done now, for the status line


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo's pixels, upright (EXIF applied)."""

    rgb: UInt8  # (H, W, 3), sRGB, before a grey backdrop where the file is transparent
    alpha: UInt8 | None  # (H, W), the file's own opacity where any of it is transparent
    focal_px: float | None  # focal length in pixels of `rgb` if EXIF gives it
    name: str  # file stem, for naming what is made from it
    remarks: tuple[str, ...] = ()  # a sentence for each thing of the file that was left out

    @property
    def width(self) -> int:
        return int(self.rgb.shape[1])

    @property
    def height(self) -> int:
        return int(self.rgb.shape[0])


@dataclass(frozen=True, eq=False)
class PoseLandmarks:
    """BlazePose's 33 landmarks of one person (order: `pose_landmarks`)."""

    image: Float32  # (33, 2), photo pixels
    depth: Float32  # (33,), pixels of the photo, hips at 0, away from the camera positive
    world: Float32  # (33, 3), metres, camera axes (x right, y down, z away), mid-hip origin
    visibility: Float32  # (33,), 0..1, probability of being seen


@dataclass(frozen=True, eq=False)
class Detection:
    """One person that was found in the photo."""

    box: Float32  # (4,), x0 y0 x1 y1 in photo pixels
    score: float  # 0..1; 0 if a box was given and the networks saw no one in it
    landmarks: PoseLandmarks

    @property
    def is_drawn(self) -> bool:
        """Whether only the box is known: outline and joints come from the picture's strokes and
        colours."""
        return self.score == 0


@dataclass(frozen=True, eq=False)
class Face:
    """One face in the photo. Left and right are the person's own."""

    score: float  # 0..1, the detector's
    box: Float32  # (4,), x0 y0 x1 y1 in photo pixels, brows to chin
    points: Float32  # (6, 2), photo pixels: right eye, left eye, nose, mouth, right ear, left ear
    presence: float  # 0..1, Face Mesh's confidence that there is a face
    mesh: Float32  # (468, 3), Face Mesh's points: photo pixels, depth away from the camera positive


@dataclass(frozen=True, eq=False)
class Hand:
    """One hand in the photo (21 points: wrist, then thumb to little finger, root to tip)."""

    score: float  # 0..1, the palm detector's
    presence: float  # 0..1, the landmark network's confidence that there is a hand
    right: (
        float  # 0..1, probability of the person's own right hand, in a photo that is not mirrored
    )
    image: Float32  # (21, 2), photo pixels
    depth: Float32  # (21,), photo pixels, wrist at 0, away from the camera positive
    world: (
        Float32  # (21, 3), metres, camera axes (x right, y down, z away), about the hand's middle
    )


@dataclass(frozen=True, eq=False)
class Person:
    """One person cut out of the photo."""

    detection: Detection
    mask: Mask  # (H, W), the silhouette that everything downstream uses
    matte: Float32  # (H, W), 0..1, soft edge; mask == matte >= 0.5
    foreground: UInt8  # (H, W, 3), the person's own colours, old background removed from the rim
    face: Face | None = None  # None: not seen closely enough
    hands: tuple[Hand | None, ...] = (None, None)  # the person's left, right


@dataclass(frozen=True, eq=False)
class Foreground:
    """What stands before the background: one person, or everyone who is woken up."""

    mask: Mask  # (H, W), the silhouettes
    matte: Float32  # (H, W), 0..1, their soft edges; of several, the greatest

    @classmethod
    def of(cls, people: Sequence[Person]) -> Foreground:
        """The foreground that people of one photo make up.

        Parameters
        ----------
        people : Sequence[Person]
            At least one, cut out of the same photo.

        Returns
        -------
        Foreground
            Their masks united.

        Raises
        ------
        ValueError
            If there is no one.
        """
        if not people:
            raise ValueError("A foreground needs at least one person.")
        return cls(
            np.logical_or.reduce([person.mask for person in people]),
            np.maximum.reduce([person.matte for person in people]),
        )


@dataclass(frozen=True)
class Camera:
    """A pinhole camera without distortion; principal point given in pixels."""

    focal_px: float
    cx: float
    cy: float
    width: int
    height: int


@dataclass(frozen=True)
class Skeleton:
    """The 24 SMPL joints of one character at rest (T-pose, world axes, feet on z = 0)."""

    names: tuple[str, ...]  # bone names, Mixamo style
    parents: tuple[int, ...]  # -1 for the root
    joints: Float64  # (24, 3), metres


@dataclass(frozen=True, eq=False)
class Pose:
    """A skeleton's pose in the world."""

    rotations: Float64  # (24, 4), unit quaternions w x y z, local to the parent, world axes at rest
    root: Float64  # (3,), world position of the pelvis joint, metres


@dataclass(frozen=True)
class SolveInfo:
    """How an iterative solution ended."""

    iterations: int
    last_step: float  # in the unit of the solver's tolerance
    converged: bool


@dataclass(frozen=True, eq=False)
class FittedBody:
    """An SMPL-format body laid over the person, in camera frame and metres.

    `scale` turns the model's own units into metres so that the body in T-pose has the asked
    height; it is already part of everything below.
    """

    betas: Float32  # (B,), shape coefficients
    pose: Float32  # (24, 3), axis-angle, SMPL order, body frame; [0] turns body to camera frame
    translation: Float32  # (3,), metres, added after posing
    scale: float
    camera: Camera
    vertices: Float32  # (V, 3), posed, camera frame
    joints: Float32  # (24, 3), posed, camera frame
    rest_joints: Float32  # (24, 3), T-pose, body frame
    transforms: Float32  # (24, 4, 4), rest (body frame) to posed (camera frame), one per joint
    solve: SolveInfo | None = None  # of the fit, last steps in metres; None if posed by hand


@dataclass(frozen=True)
class Crop:
    """A window of the photo, resampled: grid = (photo - origin) * scale, centres at integers."""

    x0: float  # photo pixel at the grid's (0, 0)
    y0: float
    scale: float  # grid pixels per photo pixel
    width: int
    height: int


@dataclass(frozen=True, eq=False)
class SurfaceMaps:
    """One sheet of the body (nearest or farthest along each pixel's ray) on a crop's grid."""

    depth: Float32  # (h, w), metres along the camera's z, NaN where the body is not
    normal: Float32  # (h, w, 3), unit, outward, camera frame, NaN where the body is not
    weights: Float32  # (h, w, 24), skinning weights, 0 where the body is not
    label: UInt8  # (h, w), body part (`body.parts`), 0 where the body is not
    vertex: Int32  # (h, w), nearest body vertex, -1 where the body is not


@dataclass(frozen=True, eq=False)
class BodyMaps:
    """The fitted body as the photo's camera sees it: nearest and farthest surface."""

    crop: Crop
    front: SurfaceMaps
    back: SurfaceMaps

    @property
    def mask(self) -> Mask:
        """(h, w): pixels whose ray meets the body."""
        return np.isfinite(self.front.depth)


@dataclass(frozen=True, eq=False)
class ShapeKey:
    """A deformation of a character's mesh at full strength, as Blender's and glTF's are."""

    name: str
    offsets: Float32  # (V, 3), metres, added to `rest_vertices` before skinning


@dataclass(frozen=True, eq=False)
class Character:
    """The person as a closed, skinned, textured mesh."""

    vertices: Float32  # (V, 3), world, metres, in the photo's pose
    rest_vertices: Float32  # (V, 3), world axes, T-pose, feet on z = 0
    triangles: Int32  # (T, 3), counter-clockwise seen from outside
    uv: Float32  # (T, 3, 2), a corner each, 0..1, origin bottom left
    texture: UInt8  # (S, S, 4), sRGB and opacity, first row on top
    weights: Float32  # (V, 24), rows sum to 1, at most 4 non-zero
    skeleton: Skeleton
    pose: Pose  # the photo's pose: skins rest_vertices to vertices
    world_from_camera: Float64  # (4, 4), rigid; the camera frame's place in the world
    body_vertex: Int32  # (V,), the fitted body's vertex that each vertex lies over
    # (S, S, 3), tangent space (x along u, y along v, z outward), 128 is 0; None: no relief is kept
    normal_map: UInt8 | None = None
    shape_keys: tuple[ShapeKey, ...] = ()  # their names are distinct


@dataclass(frozen=True, eq=False)
class Background:
    """The photo without the person."""

    rgb: UInt8  # (H, W, 3), sRGB; equals the photo outside of `hole`
    hole: Mask  # (H, W), what was filled: the person and a margin around
    still: UInt8  # (H, W, 3), only the person's own pixels filled: what stands behind frame 1


@dataclass(frozen=True, eq=False)
class Clip:
    """A motion of the 24 SMPL joints, for any body: world axes, facing -Y at identity."""

    name: str
    fps: float
    rotations: (
        Float64  # (F, 24, 4), unit quaternions w x y z, local to the parent, T-pose = identity
    )
    # (F, 3), pelvis, in the performer's leg lengths (thigh and shin); z is 1 where the performer
    # stands straight on flat feet
    root: Float64
    loop: bool  # the last frame is followed by the first (root travel continues)
    notes: tuple[str, ...] = ()  # sentences for the user: what was assumed, what was left out
    face: Float32 | None = None  # (F, 52), 0..1 in the order of `FACIAL_ACTIONS`; None: at rest


@dataclass(frozen=True, eq=False)
class Motion:
    """A clip performed by one character: poses in the world, frame by frame."""

    fps: float
    rotations: Float64  # (F, 24, 4), as in Pose
    root: Float64  # (F, 3), as in Pose
    warnings: tuple[str, ...] = ()  # a sentence for each thing that the clip lost
    travels: bool = False  # whether it goes along a way, even if the picture leaves no room for it
    face: Float32 | None = None  # (F, 52), as in Clip
