"""The label map as an image: shown, painted, read back, saved and opened again."""

from __future__ import annotations

import bpy
import numpy as np

from photo_wake_up.addon import results
from photo_wake_up.addon.core.body.model.parts import LEFT_ARM, TORSO
from photo_wake_up.addon.core.character.layers.part_segmentation import FRONT_ONLY, PALETTE
from photo_wake_up.addon.scene.objects.images import read_colours
from photo_wake_up.addon.scene.objects.label_image import read_painted


def _built(scene, photo):
    scene.wake_up.photo = str(photo)
    assert bpy.ops.wakeup.build_character() == {"FINISHED"}
    return results.recall(scene.wake_up.key)


def _paint(image, where, part):
    """Give pixels (H, W), first row on top, a part's colour."""
    width, height = image.size
    pixels = np.zeros(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    pixels = pixels.reshape(height, width, 4)
    pixels[np.flipud(where), :3] = PALETTE[part] / 255
    image.pixels.foreach_set(pixels.ravel())
    image.update()


def _patch(labels):
    """(H, W) bool: some twenty rows in the middle of the torso."""
    rows, columns = np.nonzero(labels == TORSO)
    where = np.zeros(labels.shape, bool)
    row, column = int(np.median(rows)), int(np.median(columns))
    where[row - 10 : row + 10, column - 6 : column + 6] = True
    return where & (labels == TORSO)


def test_labels_are_shown_painted_saved_and_used(addon, demo_photo, tmp_path):
    assert not bpy.ops.wakeup.paint_labels.poll()
    before = _built(addon, demo_photo)
    image = addon.wake_up.labels
    assert np.array_equal(read_colours(image), PALETTE[before.build.labels])
    assert (before.build.labels > 0)[before.person.mask].all()
    assert not read_painted(image).any()

    where = _patch(before.build.labels)
    _paint(image, where, LEFT_ARM)
    assert np.array_equal(read_painted(image) == LEFT_ARM, where)
    path = tmp_path / "painted.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    scene = bpy.context.scene
    assert results.recall(scene.wake_up.key) is None
    assert bpy.ops.wakeup.build_character() == {"FINISHED"}
    after = results.recall(scene.wake_up.key)
    # Only what was painted differs, and it is still known as painted.
    assert np.array_equal(after.build.found_labels, before.build.found_labels)
    changed = after.build.labels != before.build.labels
    assert (after.build.labels[changed] == LEFT_ARM).all()
    near = np.pad(where, 2)
    around = np.any([np.roll(near, (i, j), (0, 1)) for i in range(-2, 3) for j in range(-2, 3)], 0)
    assert not (changed & ~around[2:-2, 2:-2]).any()
    assert changed[where].mean() > 0.9
    assert read_painted(scene.wake_up.labels)[where].mean() > 0.9 * LEFT_ARM

    # Another press goes on from body and mask as they are; painted back, the first map returns.
    _paint(scene.wake_up.labels, read_painted(scene.wake_up.labels) > 0, TORSO)
    assert bpy.ops.wakeup.build_character() == {"FINISHED"}
    back = results.recall(scene.wake_up.key)
    assert back.fitted is after.fitted and back.person is after.person
    assert back.painted is None
    assert np.array_equal(back.build.labels, before.build.labels)
    assert np.array_equal(back.build.character.vertices, before.build.character.vertices)

    # White is no part: the surface stays, and the back no longer repeats what is under it.
    _paint(scene.wake_up.labels, where, FRONT_ONLY)
    assert bpy.ops.wakeup.build_character() == {"FINISHED"}
    plain = results.recall(scene.wake_up.key).build
    assert np.array_equal(plain.labels == FRONT_ONLY, where)
    assert np.array_equal(plain.character.vertices, before.build.character.vertices)
    assert not np.array_equal(plain.character.texture, before.build.character.texture)


def test_strokes_on_one_persons_labels_are_not_used_for_another(addon, demo_photo):
    before = _built(addon, demo_photo)
    image = addon.wake_up.labels
    _paint(image, _patch(before.build.labels), LEFT_ARM)
    image["photo_wake_up_source"] = "somebody else"
    assert bpy.ops.wakeup.build_character() == {"FINISHED"}
    after = results.recall(addon.wake_up.key)
    assert after.painted is None
    assert np.array_equal(after.build.labels, before.build.labels)
