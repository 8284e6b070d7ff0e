"""SMPL-format bodies as arrays; `body_files` reads them, `skinning` moves them.

Loper et al., SMPL: A Skinned Multi-Person Linear Model (2015).
"""

from __future__ import annotations

from dataclasses import dataclass

from ...types import Float32, Int32, UInt8


@dataclass(frozen=True, eq=False)
class BodyModel:
    """An SMPL-format body, body frame, metres."""

    name: str
    template: Float32  # (V, 3), T-pose
    shapes: Float32  # (V, 3, B), offsets a unit of beta
    correctives: Float32 | None  # (207, V * 3), pose-dependent offsets; None if all are zero
    regressor: Float32  # (24, V), rows sum to 1
    weights: Float32  # (V, 24), rows sum to 1
    faces: Int32  # (F, 3), counter-clockwise from outside
    part: UInt8  # (V,), body part
    # (A, V, 3), offsets in metres at full strength, T-pose; None: the file has no facial actions
    facial_actions: Float32 | None = None
    facial_action_names: tuple[str, ...] = ()  # A, distinct; the default body's: `FACIAL_ACTIONS`

    @property
    def shape_count(self) -> int:
        return int(self.shapes.shape[2])
