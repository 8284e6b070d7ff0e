"""What MediaPipe's own graphs find in pictures. Runs in the reference environment only.

    build/reference/venv/bin/python tests/reference/run_mediapipe.py OUT PICTURE.png ...

Pictures are upright RGB files. OUT/<stem>.npz holds, in pixels of the picture where not said
otherwise and with nothing in an array where nothing was found (P persons, 0 or 1):

    pose (P, 33, 3)         x, y and depth of the landmarks
    pose_world (P, 33, 3)   metres, mid-hip origin
    pose_visibility (P, 33) 0..1
    pose_mask (P, H, W)     uint8, the mask's 0..1 as 0..255
    face_score (F,)         BlazeFace, best first
    face_box (F, 4)         x0 y0 x1 y1
    face_points (F, 6, 2)
    mesh (M, 468, 3)        Face Mesh, of the same faces where a face is confirmed
    hand (K, 21, 3), hand_world (K, 21, 3) in metres, hand_right (K,) score of "Right"
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import mediapipe as mp
import numpy as np
from PIL import Image

MOST_FACES, MOST_HANDS = 16, 16


def main() -> int:
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    solutions = mp.solutions
    pose = solutions.pose.Pose(
        static_image_mode=True, model_complexity=1, enable_segmentation=True,
        smooth_segmentation=False,
    )  # fmt: skip
    faces = solutions.face_detection.FaceDetection(model_selection=0)
    mesh = solutions.face_mesh.FaceMesh(
        static_image_mode=True, max_num_faces=MOST_FACES, refine_landmarks=False
    )
    hands = solutions.hands.Hands(
        static_image_mode=True, model_complexity=1, max_num_hands=MOST_HANDS
    )
    for name in sys.argv[2:]:
        rgb = np.ascontiguousarray(Image.open(name).convert("RGB"))
        found = _pose(pose.process(rgb), rgb)
        found |= _faces(faces.process(rgb), mesh.process(rgb), rgb)
        found |= _hands(hands.process(rgb), rgb)
        np.savez(out / f"{Path(name).stem}.npz", **found)
    return 0


def _pose(result: Any, rgb: np.ndarray) -> dict[str, np.ndarray]:
    if result.pose_landmarks is None:
        none = np.zeros((0, 33, 3), np.float32)
        return {
            "pose": none, "pose_world": none, "pose_visibility": none[..., 0],
            "pose_mask": np.zeros((0, *rgb.shape[:2]), np.uint8),
        }  # fmt: skip
    marks = result.pose_landmarks.landmark
    return {
        "pose": _pixels([marks], rgb),
        "pose_world": _metres([result.pose_world_landmarks.landmark]),
        "pose_visibility": np.array([[m.visibility for m in marks]], np.float32),
        "pose_mask": np.round(result.segmentation_mask[None] * 255).astype(np.uint8),
    }


def _faces(detected: Any, meshed: Any, rgb: np.ndarray) -> dict[str, np.ndarray]:
    height, width = rgb.shape[:2]
    detections = detected.detections or []
    boxes = [d.location_data.relative_bounding_box for d in detections]
    points = [[(p.x, p.y) for p in d.location_data.relative_keypoints] for d in detections]
    return {
        "face_score": np.array([d.score[0] for d in detections], np.float32),
        "face_box": np.array(
            [[b.xmin, b.ymin, b.xmin + b.width, b.ymin + b.height] for b in boxes], np.float32
        ).reshape(-1, 4) * [width, height, width, height],
        "face_points": np.array(points, np.float32).reshape(-1, 6, 2) * [width, height],
        "mesh": _pixels([f.landmark for f in meshed.multi_face_landmarks or []], rgb, 468),
    }  # fmt: skip


def _hands(result: Any, rgb: np.ndarray) -> dict[str, np.ndarray]:
    named = [h.classification[0] for h in result.multi_handedness or []]
    return {
        "hand": _pixels([h.landmark for h in result.multi_hand_landmarks or []], rgb, 21),
        "hand_world": _metres([h.landmark for h in result.multi_hand_world_landmarks or []], 21),
        "hand_right": np.array(
            [c.score if c.label == "Right" else 1 - c.score for c in named], np.float32
        ),
    }


def _pixels(lists: list[Any], rgb: np.ndarray, count: int = 33) -> np.ndarray:
    """Normalised landmarks in pixels; depth has the scale of x."""
    height, width = rgb.shape[:2]
    return _metres(lists, count) * np.array([width, height, width], np.float32)


def _metres(lists: list[Any], count: int = 33) -> np.ndarray:
    values = [[(m.x, m.y, m.z) for m in marks] for marks in lists]
    return np.array(values, np.float32).reshape(-1, count, 3)


if __name__ == "__main__":
    sys.exit(main())
