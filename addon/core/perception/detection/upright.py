"""A body's own direction in the photo, and the photo turned so that the body stands upright in it.

The networks have seen people who stand: the one that finds "person" in a region loses a body's
clothes and calls the wall around it a person where the body lies across the picture or hangs head
down. So anyone far from upright is cut out in a view of the photo that is turned, and what was
found there is carried back. Anyone who is not far from it is seen in the photo itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from ...inference.roi import SNAPPED_ANGLE, RotatedRoi
from ...types import Detection, Face, Float32, Float64, Hand, Mask, PoseLandmarks, UInt8
from ..landmarks.pose_landmarks import LANDMARK

# People lean by up to 30 degrees in photos that are held upright. Up to 45 degrees the networks'
# masks of test photos are as good as upright ones, from 60 on they break.
LEVEL = np.radians(36.0)
QUARTER = np.pi / 2
# A view that is a quarter turn has the photo's very pixels; up to this angle it is taken instead of
# one that stands the body exactly upright and has to resample.
NEAR_QUARTER = np.radians(36.0)
# What a view shows around the hips, over the distance to the landmark that is farthest from them.
# BlazePose's region reaches 1.25 times that far and settles a little larger.
VIEW_REACH = 1.6
CROWN_SHARE = 0.08  # from the landmarks to crown and soles, over the longer side of their box
_SHOULDERS = [LANDMARK["left_shoulder"], LANDMARK["right_shoulder"]]
_LOWER = [LANDMARK[f"{side}_{name}"] for side in ("left", "right") for name in ("hip", "ankle")]
_HIPS = [LANDMARK["left_hip"], LANDMARK["right_hip"]]


def lean(marks: PoseLandmarks) -> float:
    """How far the body's up direction is turned clockwise from the picture's, radians -pi..pi.

    From the middle of hips and ankles to the shoulders: trunk and legs tell, so that neither who
    bows nor who raises a leg counts as lying.

    Parameters
    ----------
    marks : PoseLandmarks
        The person's landmarks.

    Returns
    -------
    float
        -pi..pi.
    """
    x, y = (marks.image[_SHOULDERS].mean(axis=0) - marks.image[_LOWER].mean(axis=0)).tolist()
    return float(np.arctan2(x, -y))


def turn_of(marks: PoseLandmarks) -> float:
    """The angle, radians clockwise, of the view in which a body stands: 0 for who stands or leans
    in the photo itself, a multiple of a quarter turn for who all but lies or hangs.

    Parameters
    ----------
    marks : PoseLandmarks
        The person's landmarks.

    Returns
    -------
    float
        -pi..pi.
    """
    angle = lean(marks)
    if abs(angle) <= LEVEL:
        return 0.0
    quarter = round(angle / QUARTER) * QUARTER
    if quarter and abs(angle - quarter) <= NEAR_QUARTER:
        return quarter
    return (
        round(angle / SNAPPED_ANGLE) * SNAPPED_ANGLE
    )  # without its last bits (`RotatedRoi.snapped`)


def box_of(marks: PoseLandmarks, size: tuple[int, int]) -> Float32:
    """(4,) x0 y0 x1 y1: the landmarks' box, widened to the crown and the soles, within a picture
    of size (W, H).

    Parameters
    ----------
    marks : PoseLandmarks
        The person's landmarks.
    size : tuple[int, int]
        Pixels.

    Returns
    -------
    Float32
        (4,).
    """
    low, high = _wide_box(marks.image)
    limit = np.array(size, np.float32) - 1
    return np.concatenate([np.clip(low, 0, limit), np.clip(high, 0, limit)]).astype(np.float32)


def own_box(marks: PoseLandmarks, angle: float) -> Float32:
    """(4,) the same box along the axes of a body turned by `angle`, not bounded by the photo, in
    pixels counted along those axes from the photo's origin (`along_axes`).

    Parameters
    ----------
    marks : PoseLandmarks
        The person's landmarks.
    angle : float
        Radians, clockwise.

    Returns
    -------
    Float32
        (4,).
    """
    return np.concatenate(_wide_box(along_axes(marks.image, angle))).astype(np.float32)


def along_axes(points: Float32, angle: float) -> Float32:
    """Photo pixels (N, 2) counted along axes that are turned clockwise by `angle` (radians).

    Parameters
    ----------
    points : Float32
        (N, 2) photo pixels.
    angle : float
        Radians, clockwise.

    Returns
    -------
    Float32
        (N, 2).
    """
    return (points @ _axes(angle)).astype(np.float32)


def _wide_box(points: Float32) -> tuple[Float32, Float32]:
    low, high = points.min(axis=0), points.max(axis=0)
    margin = CROWN_SHARE * float((high - low).max())
    return low - margin, high + margin


@dataclass(frozen=True, eq=False)
class View:
    """The photo, or the part of it around one body, turned by an angle."""

    angle: float  # radians, clockwise: this direction of the photo is up in the view
    matrix: Float64  # (2, 3), photo pixels to the view's, both with centres at integers
    size: tuple[int, int]  # (w, h) of the view, pixels
    photo_size: tuple[int, int]  # (W, H)

    @property
    def is_photo(self) -> bool:
        """Whether the view is the photo as it is: then nothing is computed, everything is handed
        through."""
        return self.angle == 0.0

    @cached_property
    def _back(self) -> Float64:
        return cv2.invertAffineTransform(self.matrix)

    def picture(self, rgb: UInt8) -> UInt8:
        """The view (h, w, 3) of the photo (H, W, 3), whose rim goes on beyond it.

        Parameters
        ----------
        rgb : UInt8
            (H, W, 3), sRGB.

        Returns
        -------
        UInt8
            (h, w, 3).
        """
        if self.is_photo:
            return rgb
        return cv2.warpAffine(
            rgb, self.matrix, self.size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )

    def mask(self, mask: Mask) -> Mask:
        """The view (h, w) of a mask (H, W), empty beyond the photo.

        Parameters
        ----------
        mask : Mask
            (H, W).

        Returns
        -------
        Mask
            (h, w).
        """
        if self.is_photo:
            return mask
        seen = cv2.warpAffine(
            mask.astype(np.uint8), self.matrix, self.size, flags=cv2.INTER_NEAREST
        )
        return seen > 0

    def detection(self, person: Detection) -> Detection:
        """The person as the view shows them.

        Parameters
        ----------
        person : Detection
            In the photo.

        Returns
        -------
        Detection
            In the view's pixels.
        """
        if self.is_photo:
            return person
        marks = person.landmarks
        seen = replace(
            marks,
            image=_moved(marks.image, self.matrix),
            world=RotatedRoi(0.0, 0.0, 1.0, -self.angle).turned(marks.world),
        )
        return replace(person, landmarks=seen, box=box_of(seen, self.size))

    def on_photo(self, values: Float32) -> Float32:
        """(H, W) of the view's values (h, w), 0 where the photo is not in the view.

        Parameters
        ----------
        values : Float32
            (h, w).

        Returns
        -------
        Float32
            (H, W).
        """
        if self.is_photo:
            return values
        return cv2.warpAffine(
            values, self.matrix, self.photo_size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )

    def points_on_photo(self, points: Float32) -> Float32:
        """Photo pixels of points (N, 2) or (N, 3) of the view; a third coordinate is a depth.

        Parameters
        ----------
        points : Float32
            (N, 2) or (N, 3), the view's pixels.

        Returns
        -------
        Float32
            (N, 2) or (N, 3), photo pixels.
        """
        if self.is_photo:
            return points
        placed = points.copy()
        placed[:, :2] = _moved(points[:, :2], self._back)
        return placed

    def roi_on_photo(self, roi: RotatedRoi) -> RotatedRoi:
        """The same region in the photo's pixels.

        Parameters
        ----------
        roi : RotatedRoi
            In the view.

        Returns
        -------
        RotatedRoi
            In the photo.
        """
        x, y = self._back @ [roi.x, roi.y, 1.0]
        return RotatedRoi(float(x), float(y), roi.side, roi.angle + self.angle)

    def face_on_photo(self, face: Face) -> Face:
        """A face that was found in the view; its box is upright in the photo and holds the found
        one.

        Parameters
        ----------
        face : Face
            In the view.

        Returns
        -------
        Face
            In the photo.
        """
        if self.is_photo:
            return face
        x0, y0, x1, y1 = face.box.tolist()
        corners = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
        placed = self.points_on_photo(corners)
        return replace(
            face,
            box=np.concatenate([placed.min(axis=0), placed.max(axis=0)]),
            points=self.points_on_photo(face.points),
            mesh=self.points_on_photo(face.mesh),
        )

    def hand_on_photo(self, hand: Hand) -> Hand:
        """A hand that was found in the view.

        Parameters
        ----------
        hand : Hand
            In the view.

        Returns
        -------
        Hand
            In the photo.
        """
        if self.is_photo:
            return hand
        return replace(
            hand,
            image=self.points_on_photo(hand.image),
            world=RotatedRoi(0.0, 0.0, 1.0, self.angle).turned(hand.world),
        )


def turned_photo(size: tuple[int, int], angle: float) -> View:
    """The view of all of a photo of size (W, H), turned by `angle` (radians, clockwise).

    Parameters
    ----------
    size : tuple[int, int]
        Pixels.
    angle : float
        Radians, clockwise.

    Returns
    -------
    View
        Nothing is cut off.
    """
    corners = np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) * (np.array(size) - 1)
    return _view(size, angle, corners @ _axes(angle))


def view_of(person: Detection, size: tuple[int, int]) -> View:
    """The view in which a person stands: all of a photo of size (W, H) where that needs no
    resampling, else the part around the body. Who is only drawn is taken for upright: networks
    did not find those joints.

    Parameters
    ----------
    person : Detection
        In the photo.
    size : tuple[int, int]
        Pixels.

    Returns
    -------
    View
        The photo itself for who stands.
    """
    marks = person.landmarks
    angle = 0.0 if person.is_drawn else turn_of(marks)
    whole = turned_photo(size, angle)
    if angle == round(angle / QUARTER) * QUARTER:
        return whole
    hips = marks.image[_HIPS].mean(axis=0)
    reach = VIEW_REACH * float(np.linalg.norm(marks.image - hips, axis=1).max())
    middle = whole.matrix @ [*hips.tolist(), 1.0]
    low = np.maximum(middle - reach, 0)
    high = np.minimum(middle + reach, np.array(whole.size) - 1)
    if (high <= low).any():  # landmarks far outside of the photo
        return whole
    shift = whole.matrix[:, 2]
    return _view(size, angle, np.array([low, high]) - shift)


def _axes(angle: float) -> Float64:
    """(2, 2) rotation from a view's axes to the photo's, exact for quarter turns."""
    return RotatedRoi(0.0, 0.0, 1.0, angle).turn().round(12)


def _view(size: tuple[int, int], angle: float, corners: Float64) -> View:
    """The view that just holds corners (N, 2), which are turned but not yet moved."""
    low = np.floor(corners.min(axis=0) + _ROUNDING)
    high = np.ceil(corners.max(axis=0) - _ROUNDING)
    matrix = np.hstack([_axes(angle).T, -low[:, None]])
    width, height = (high - low).astype(int).tolist()
    return View(angle, matrix, (width + 1, height + 1), size)


_ROUNDING = 1e-6  # pixels


def _moved(points: Float32, matrix: Float64) -> Float32:
    return (points @ matrix[:, :2].T + matrix[:, 2]).astype(np.float32)
