"""Drive the extension in a real Blender with a window, as a person would: `run.sh` starts this.

Runs inside Blender, by a timer, so that the window goes on between steps. Every step ends with
what must be true; the first that fails ends the run. Screenshots and report.json go to the folder
that is named after `--` on Blender's command line, after the project's packages, the photo and the
Python that computes.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
import traceback
from collections.abc import Generator
from pathlib import Path

import bpy
import numpy as np

PACKAGES, PHOTO, PHOTO_OF_TWO, PYTHON, OUT = sys.argv[sys.argv.index("--") + 1 :]
TICK_S = 0.05
LONGEST_GAP_S = 0.3  # between two drawings of the window while work is going on
WORK_S = 600.0  # a stage that takes longer hangs
FRAMES = 24
TAB = "Wake-Up"
BRUSH_PX = 6  # radius: a tuft of hair

Steps = Generator[None, None, None]


class Clock:
    """When a region of the 3D views was drawn."""

    def __init__(self, region: str) -> None:
        self.drawn: list[float] = []
        bpy.types.SpaceView3D.draw_handler_add(
            lambda: self.drawn.append(time.perf_counter()), (), region, "POST_PIXEL"
        )

    def longest_gap(self, begin: float, end: float) -> tuple[float, float]:
        """Seconds between two drawings, at most, from `begin` to `end`, and when it began."""
        at = [begin, *(moment for moment in self.drawn if begin < moment < end), end]
        gaps = itertools.pairwise(at)
        return max((after - before, before - begin) for before, after in gaps)


class Driver:
    """The steps in order, and what they found."""

    def __init__(self) -> None:
        self.sidebar, self.view = Clock("UI"), Clock("WINDOW")
        self.rows: list[dict[str, object]] = []

    # What a person sees and does.

    @property
    def window_manager(self) -> bpy.types.WindowManager:
        return bpy.context.window_manager

    @property
    def window(self) -> bpy.types.Window:
        return self.window_manager.windows[0]

    @property
    def status(self) -> bpy.types.PropertyGroup:
        return self.window_manager.wake_up

    @property
    def settings(self) -> bpy.types.PropertyGroup:
        return bpy.context.scene.wake_up

    def press(self, name: str, **arguments: object) -> set[str]:
        """Press a button of the sidebar."""
        area = max(
            (a for a in self.window.screen.areas if a.type == "VIEW_3D"), key=lambda a: a.width
        )
        region = next(r for r in area.regions if r.type == "WINDOW")
        with bpy.context.temp_override(window=self.window, area=area, region=region):
            operator = getattr(bpy.ops.wakeup, name)
            return operator("INVOKE_DEFAULT", True, **arguments)

    def wait(self, seconds: float) -> Steps:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            yield

    def choose_tab(self) -> None:
        """Bring the sidebar's tab with the extension's panels to the front."""
        for area in self.window.screen.areas:
            for region in area.regions:
                if area.type == "VIEW_3D" and region.type == "UI":
                    region.active_panel_category = TAB

    def work(self, what: str, picture_after_s: float = 0.0) -> Steps:
        """Until the work is done: the window keeps drawing."""
        begin, shot = time.perf_counter(), not picture_after_s
        while self.status.running:
            if not shot and time.perf_counter() - begin > picture_after_s:
                self.screenshot(f"{what} at work", wait=False)
                shot = True
            if time.perf_counter() - begin > WORK_S:
                raise TimeoutError(f"{what} hangs: {self.status.message}")
            yield
        end = time.perf_counter()
        # The last step builds the scene; it ends the work. The first drawing of a new scene takes
        # what it takes without a graphics card.
        drawings = len(self.view.drawn)
        while len(self.view.drawn) == drawings and time.perf_counter() - begin < WORK_S:
            yield
        self.row(f"{what}, first sight of it after, s", round(self.view.drawn[-1] - end, 3))
        gap, at = self.sidebar.longest_gap(begin, end)
        self.row(f"{what}, s", round(end - begin, 1))
        self.row(f"{what}, the longest gap is at, s", round(at, 1))
        seen = self._view().view_perspective == "CAMERA"
        self.row(f"{what}, the view looks through the photo's camera", seen, seen)
        self.row(f"{what}, longest gap between drawings, s", round(gap, 3), gap <= LONGEST_GAP_S)
        assert not self.status.failed, self.status.message

    def screenshot(self, name: str, wait: bool = True) -> None:
        path = Path(OUT) / f"{name.replace(' ', '_')}.png"
        taken = subprocess.Popen(["import", "-window", "root", str(path)])
        if wait:
            assert taken.wait() == 0

    def row(self, what: str, value: object, met: bool | None = None) -> None:
        row = {"what": what, "value": value, "met": met}
        self.rows.append(row)
        sys.stderr.write(json.dumps(row) + "\n")

    # The session.

    def session(self) -> Steps:
        yield from self.first_look()
        yield from self.wakes_up()
        yield from self.stops_on_escape()
        yield from self.undoes_and_redoes()
        yield from self.takes_corrections()
        yield from self.poses_the_body()
        yield from self.plays()
        yield from self.keeps_all_in_the_file()
        yield from self.exports()
        yield from self.chooses_another_person()

    def first_look(self) -> Steps:
        for area in self.window.screen.areas:
            if area.type == "VIEW_3D":
                area.spaces.active.show_region_ui = True
        yield from self.wait(1.5)
        self.screenshot("1 first look")
        assert not bpy.ops.wakeup.wake_up.poll(), "Wake Up can be pressed without a photo"
        self.settings.photo = PHOTO
        self.settings.frames = FRAMES

    def wakes_up(self) -> Steps:
        for item in list(bpy.data.objects):
            bpy.data.objects.remove(item)
        yield from self.wait(0.5)
        self.choose_tab()
        assert self.press("wake_up") == {"RUNNING_MODAL"}
        yield from self.work("wake up", picture_after_s=4.0)
        yield from self.wait(1.0)
        self.screenshot("2 awake")
        parts = [item.type for item in self.settings.result.all_objects]
        self.row("character, armature and camera in the scene", True,
                 {"ARMATURE", "CAMERA", "MESH"} <= set(parts))  # fmt: skip

    def stops_on_escape(self) -> Steps:
        before = self.settings.result
        names = sorted(item.name for item in before.all_objects)
        assert self.press("build_character") == {"RUNNING_MODAL"}
        yield from self.wait(1.5)
        assert self.status.running, "The stage was over before Esc could be pressed"
        pressed = time.perf_counter()
        self._event(self.window, "ESC", "PRESS", 400, 400)
        yield
        self._event(self.window, "ESC", "RELEASE", 400, 400)
        while self.status.running and time.perf_counter() - pressed < 20:
            yield
        took = time.perf_counter() - pressed
        same = self.settings.result == before
        same = same and names == sorted(item.name for item in before.all_objects)
        self.row("seconds from Esc to the end", round(took, 2), took < 2.0)
        self.row("after Esc the scene is as it was", same, same)

    def undoes_and_redoes(self) -> Steps:
        self.settings.motion = "wave"
        assert self.press("animate") == {"RUNNING_MODAL"}
        yield from self.work("animate")
        yield from self.wait(0.5)
        waving = self._actions()
        with bpy.context.temp_override(window=self.window):
            bpy.ops.ed.undo()
        yield from self.wait(1.0)
        undone = self._actions()
        with bpy.context.temp_override(window=self.window):
            bpy.ops.ed.redo()
        yield from self.wait(1.0)
        redone = self._actions()
        self.row("undo takes the wave back", undone, undone != waving)
        self.row("redo brings it again", redone, redone == waving)

    def takes_corrections(self) -> Steps:
        self.press("paint_mask")
        yield from self.wait(1.0)
        before = self._white().sum()
        rows, columns = np.nonzero(self._white())
        height, width = self._white().shape
        top, middle = rows.max() / height, columns[rows == rows.max()].mean() / width
        self._set_brush()
        tuft = [(middle + right / width, top) for right in (-12, -4, 4, 12)]
        yield from self.paints(self.window_manager.windows[-1], tuft)
        self.screenshot("3 painting the mask")
        painted = int(self._white().sum() - before)
        self.row("pixels that a stroke adds to the mask", painted, painted > 0)
        for window in list(self.window_manager.windows)[1:]:
            with bpy.context.temp_override(window=window):
                bpy.ops.wm.window_close()
        self._to_object_mode()
        yield from self.wait(1.0)  # the closed window's place is drawn
        self.press("use_corrections")
        yield from self.work("use corrections")
        kept = int(self._white().sum() - before)
        self.row("pixels of the stroke in what was gone on from", kept, kept == painted)

    def poses_the_body(self) -> Steps:
        self.settings.motion = "dance"
        assert self.press("correct_pose")
        yield from self.work("correct pose")
        yield from self.wait(1.0)
        armature = self.window.view_layer.objects.active
        handle = armature.pose.bones["left hand"]
        armature.data.bones.active = handle.bone
        handle.select = True
        yield from self.drags(0, 15)
        moved = handle.location.length > 0.01
        self.row("a hand's handle was dragged", round(handle.location.length, 3), moved)
        self.screenshot("4 correcting the pose")
        assert self.press("animate") == {"RUNNING_MODAL"}  # refining needs PyTorch beside Blender
        yield from self.work("build again and dance")
        held = sum(self.settings.result["photo_wake_up_fit"]["held"])
        self.row("joints that stay as they were dragged", held, held > 0)

    def paints(self, window: bpy.types.Window, stroke: tuple[tuple[float, float], ...]) -> Steps:
        """A stroke with the left button through points of the image, each in shares of it."""
        area = next(area for area in window.screen.areas if area.type == "IMAGE_EDITOR")
        region = next(region for region in area.regions if region.type == "WINDOW")
        places = [region.view2d.view_to_region(x, y, clip=False) for x, y in stroke]
        places = [(region.x + x, region.y + y) for x, y in places]
        self._event(window, "MOUSEMOVE", "NOTHING", *places[0])
        yield from self.wait(0.2)
        self._event(window, "LEFTMOUSE", "PRESS", *places[0])
        for place in places:
            self._event(window, "MOUSEMOVE", "NOTHING", *place)
            yield from self.wait(0.1)
        self._event(window, "LEFTMOUSE", "RELEASE", *places[-1])
        yield from self.wait(0.5)

    def drags(self, right: int, up: int) -> Steps:
        """Press G over the 3D view, move the mouse by pixels, and take it."""
        area = self._area()
        region = next(region for region in area.regions if region.type == "WINDOW")
        x, y = region.x + region.width // 2, region.y + region.height // 2
        self._event(self.window, "MOUSEMOVE", "NOTHING", x, y)
        yield from self.wait(0.2)
        for value in ("PRESS", "RELEASE"):
            self._event(self.window, "G", value, x, y)
            yield from self.wait(0.2)
        for share in (0.3, 0.7, 1.0):
            self._event(self.window, "MOUSEMOVE", "NOTHING", x + share * right, y + share * up)
            yield from self.wait(0.2)
        for value in ("PRESS", "RELEASE"):
            self._event(self.window, "RET", value, x + right, y + up)
            yield from self.wait(0.2)

    def _event(self, window: bpy.types.Window, what: str, value: str, x: float, y: float) -> None:
        window.event_simulate(type=what, value=value, x=round(x), y=round(y))

    def _white(self) -> np.ndarray:
        """(H, W) bool, the lowest row first: where the mask is."""
        mask = self.settings.mask
        values = np.empty(mask.size[0] * mask.size[1] * mask.channels, np.float32)
        mask.pixels.foreach_get(values)
        return values.reshape(mask.size[1], mask.size[0], mask.channels)[..., 0] > 0.5

    def _set_brush(self) -> None:
        tools = bpy.context.scene.tool_settings
        unified = getattr(tools, "unified_paint_settings", None) or (
            tools.image_paint.unified_paint_settings
        )
        unified.use_unified_size, unified.size = True, 2 * BRUSH_PX

    def _to_object_mode(self) -> None:
        if bpy.context.mode != "OBJECT":
            with bpy.context.temp_override(window=self.window):
                bpy.ops.object.mode_set(mode="OBJECT")

    def plays(self) -> Steps:
        with bpy.context.temp_override(window=self.window, screen=self.window.screen):
            bpy.ops.screen.animation_play()
        before = len(self.view.drawn)
        begin = time.perf_counter()
        yield from self.wait(2.0)
        rate = (len(self.view.drawn) - before) / (time.perf_counter() - begin)
        self.screenshot("5 dancing")
        with bpy.context.temp_override(window=self.window, screen=self.window.screen):
            bpy.ops.screen.animation_cancel()
        self.row("drawings a second while it plays, without a graphics card", round(rate, 1))

    def keeps_all_in_the_file(self) -> Steps:
        path = Path(OUT) / "session.blend"
        name, actions = self.settings.result.name, self._actions()
        with bpy.context.temp_override(window=self.window):
            bpy.ops.wm.save_as_mainfile(filepath=str(path))
            bpy.ops.wm.open_mainfile(filepath=str(path))
        yield from self.wait(2.0)
        kept = self.settings.result is not None and self.settings.result.name == name
        self.row("the result is there after reopening", kept, kept)
        self.row("its actions are there", self._actions(), self._actions() == actions)
        self.settings.motion = "jump"
        assert self.press("animate") == {"RUNNING_MODAL"}
        yield from self.work("animate after reopening")
        self.screenshot("6 reopened and jumping")

    def exports(self) -> Steps:
        path = Path(OUT) / "character.glb"
        path.unlink(missing_ok=True)
        with bpy.context.temp_override(window=self.window):
            bpy.ops.wakeup.export(filepath=str(path))  # without its file browser
        yield from self.wait(1.0)
        done = path.is_file() and path.stat().st_size > 100_000
        self.row("exported", done, done)

    def chooses_another_person(self) -> Steps:
        self.settings.photo = PHOTO_OF_TWO
        masks: list[np.ndarray] = []
        for number in (1, 2):
            self.settings.person = number
            assert self.press("find_person") == {"RUNNING_MODAL"}
            yield from self.work(f"find person {number}")
            masks.append(self._white())
        self.screenshot("7 another person")
        self.row("people in the list", len(self.settings.people), len(self.settings.people) == 2)
        both = int((masks[0] & masks[1]).sum())
        self.row("pixels of both masks", both, both == 0)

    def _area(self) -> bpy.types.Area:
        return next(area for area in self.window.screen.areas if area.type == "VIEW_3D")

    def _view(self) -> bpy.types.RegionView3D:
        return self._area().spaces.active.region_3d

    def _actions(self) -> list[str]:
        return sorted(
            item.animation_data.action.name
            for item in self.settings.result.all_objects
            if item.type == "ARMATURE" and item.animation_data and item.animation_data.action
        )


def main() -> None:
    sys.path.insert(0, PACKAGES)
    sys.executable = PYTHON  # computes: Blender's own has no torch here
    bpy.context.preferences.view.show_splash = False
    # Without a graphics card a smooth drawing of the whole scene takes 0.3 s by itself.
    bpy.context.preferences.system.viewport_aa = "OFF"
    import photo_wake_up

    began = time.perf_counter()
    photo_wake_up.register()
    driver = Driver()
    driver.row("enabling takes, s", round(time.perf_counter() - began, 2))
    steps = driver.session()

    def tick() -> float:
        failed = ""
        try:
            next(steps)
            return TICK_S
        except StopIteration:
            pass
        except BaseException:
            failed = traceback.format_exc()
            sys.stderr.write(failed)
            driver.screenshot("failed")
        report = {"rows": driver.rows, "failed": failed}
        Path(OUT, "report.json").write_text(json.dumps(report, indent=2))
        os._exit(0 if not failed and all(row["met"] is not False for row in driver.rows) else 1)

    bpy.app.timers.register(tick, first_interval=2.0, persistent=True)


main()
