"""Bones to be dragged that pull a limb after them; untouched, they have no influence at all."""

from __future__ import annotations

import math

import bpy
import numpy as np
from mathutils import Vector

from ...core.body.model.skeleton import BONE_NAMES, PARENTS
from ...core.body.pose_edit import LEAST_BEND_RAD, LimbHandles
from ...core.types import Float64

TOUCHED_M = 1e-4  # a handle that was moved by more pulls
BEND, FOLLOW = "Bend the right way", "Follow the handle"  # names of constraints
# Orange and blue, as the joints are; green for what has no side.
_PALETTES = {"left": "THEME02", "right": "THEME04", "": "THEME03"}
_HANDLE_M = 0.12  # length of a handle's bone: easy to hit, smaller than a head
_HANDLE_SIZE_M = 0.05  # half a side of the cube that a handle is drawn as
_POLE_SHARE = 0.4  # a pole's cube is smaller: it is needed less often


def new_cube(name: str, collection: bpy.types.Collection) -> bpy.types.Object:
    """What handles are drawn as; itself not seen."""
    cube = bpy.data.objects.new(name, None)
    cube.empty_display_type = "CUBE"
    cube.hide_viewport = cube.hide_render = True
    collection.objects.link(cube)
    return cube


def draw_as_cube(bone: bpy.types.PoseBone, cube: bpy.types.Object, share: float = 1.0) -> None:
    """Show a bone as a cube that can be moved and nothing else; `share` of a handle's size."""
    bone.lock_rotation = bone.lock_scale = (True, True, True)
    bone.lock_rotation_w = True
    bone.custom_shape = cube
    bone.use_custom_shape_bone_size = False
    bone.custom_shape_scale_xyz = (_HANDLE_SIZE_M * share,) * 3


def new_handle_bones(armature: bpy.types.Armature, handle: LimbHandles) -> None:
    """A limb's handle and pole as bones; in Edit Mode."""
    above = BONE_NAMES[PARENTS[handle.limb.root]]
    for name, place, parent in (
        (handle.limb.handle, handle.end, None),
        (handle.limb.pole, handle.pole, above),
    ):
        new_handle_bone(armature, name, place, parent)


def new_handle_bone(
    armature: bpy.types.Armature, name: str, place: Float64, parent: str | None = None
) -> None:
    """A bone to be dragged at `place` (3,), armature's axes; in Edit Mode."""
    bone = armature.edit_bones.new(name)
    bone.head = Vector(place)
    bone.tail = Vector(place) + Vector((0.0, 0.0, _HANDLE_M))
    bone.use_deform = False
    bone.color.palette = _PALETTES.get(name.partition(" ")[0], _PALETTES[""])
    if parent is not None:
        bone.parent = armature.edit_bones[parent]


def new_ik(armature: bpy.types.Object, handle: LimbHandles, cube: bpy.types.Object) -> None:
    """Let a limb follow its handle from the moment that it is dragged."""
    limb, bones = handle.limb, armature.pose.bones
    draw_as_cube(bones[limb.handle], cube)
    draw_as_cube(bones[limb.pole], cube, _POLE_SHARE)
    upper, lower = (bones[BONE_NAMES[joint]] for joint in (limb.root, limb.middle))

    bend = lower.constraints.new("LIMIT_ROTATION")
    bend.name = BEND
    bend.owner_space = "LOCAL"
    # A limit is about one of the bone's own axes, the one that is nearly the joint's hinge.
    hinge = np.array(lower.bone.matrix_local.to_3x3(), np.float64).T @ handle.hinge
    axis = int(np.abs(hinge).argmax())
    letter = "xyz"[axis]
    least, most = LEAST_BEND_RAD, math.pi
    setattr(bend, f"use_limit_{letter}", True)
    setattr(bend, f"min_{letter}", least if hinge[axis] > 0 else -most)
    setattr(bend, f"max_{letter}", most if hinge[axis] > 0 else -least)

    pull = lower.constraints.new("IK")
    pull.name = FOLLOW
    pull.target, pull.subtarget, pull.chain_count = armature, limb.handle, 2
    pull.pole_target, pull.pole_subtarget = armature, limb.pole
    pull.pole_angle = _pole_angle(upper, lower, bones[limb.pole].head)
    for constraint in (bend, pull):
        let_influence_follow(constraint, armature, limb.handle)


def _pole_angle(
    upper: bpy.types.PoseBone, lower: bpy.types.PoseBone, pole: Vector
) -> float:  # radians
    """For which Blender's solver finds that the limb, as it is posed, points at its pole.

    The solver turns the limb about the line from its root to its end until the upper bone's own
    x cos(angle) + z sin(angle) lies in one half plane with the pole.
    """
    line = (lower.tail - upper.head).normalized()
    aim = pole - upper.head
    aside = aim.cross(line)  # normal of the half plane
    angle = math.atan2(-upper.x_axis.dot(aside), upper.z_axis.dot(aside))
    up = upper.x_axis * math.cos(angle) + upper.z_axis * math.sin(angle)
    if (up - up.dot(line) * line).dot(aim) < 0:
        angle += math.pi if angle < 0 else -math.pi
    return angle


def let_influence_follow(
    constraint: bpy.types.Constraint, armature: bpy.types.Object, handle: str
) -> None:
    """Influence 0 where the handle stands at rest, else 1: a simple expression, which Blender
    evaluates in files whose scripts it does not trust, too."""
    driver = constraint.driver_add("influence").driver
    driver.type = "SCRIPTED"
    for axis, name in enumerate("xyz"):
        variable = driver.variables.new()
        variable.name = name
        variable.targets[0].id = armature
        variable.targets[0].data_path = f'pose.bones["{handle}"].location[{axis}]'
    driver.expression = f"1.0 if abs(x) + abs(y) + abs(z) > {TOUCHED_M} else 0.0"
