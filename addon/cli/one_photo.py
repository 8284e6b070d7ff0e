"""One photo's run of the command: its stages, its scene, its files."""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..core.body.stage import body_model
from ..core.motion.performing.playlist import motion_files
from ..core.motion.sources.library import needs_blender
from ..core.perception.landmarks.joints import read_joints
from ..core.pipeline.corrections import Corrections
from ..core.pipeline.request import Request, run
from ..core.pipeline.run import advance, drain, peak_memory_mb
from ..core.pipeline.stages import LAST
from ..core.result import WakeUpResult, present
from ..core.settings import WakeUpSettings
from ..core.types import Clip
from ..scene.export.registry import export_character, exporter_of
from .arguments import EVERYONE, chosen_output, chosen_settings, made_from
from .result_folder import MADE, RENDERED, STRIP, beside, move_into_place, write_report
from .sheet import panels_of
from .standard_output import Tell, told_to_the_end


def wake_up_photo(options: argparse.Namespace, tell: Tell, started: float) -> None:
    """Leave the photo's results in the folder that the options name: all or nothing."""
    out = Path(options.out).absolute()
    with beside(out) as folder:
        settings = chosen_settings(options)
        clip = _read_in_blender(settings, tell)
        corrections = Corrections(joints=read_joints(options.joints) if options.joints else None)
        everyone = options.person == EVERYONE
        request = Request(
            WakeUpResult(), settings, options.photo, LAST, corrections, everyone, clip
        )
        outcome = told_to_the_end(run(request), tell)
        results = outcome if isinstance(outcome, tuple) else (outcome,)
        for note in results[0].motion_notes:
            tell(note)
        report = _write(results, options, folder, tell, started)
        report["seconds"] = round(time.perf_counter() - started, 3)
        report["peak_memory_mb"] = round(peak_memory_mb(), 1)
        write_report(folder, report, made_from(options, Path(options.photo)))
        # Of an earlier run with another choice of what to render.
        move_into_place(folder, out, stale=MADE)
    for warning in _warnings(report):
        if warning not in results[0].motion_notes:  # told already
            tell(warning)
    tell(f"Done in {report['seconds']:.1f} s: {out}")


def list_people(options: argparse.Namespace, tell: Tell) -> None:
    """Print a line for each person: number, box in pixels, how sure it is, which is the default."""
    from ..core.perception.stages import chosen_person

    settings = chosen_settings(options)
    work = advance(WakeUpResult(), settings, options.photo, "people")
    people = present(drain(work).people, "people")
    default = chosen_person(people, settings)
    for number, person in enumerate(people, start=1):
        x0, y0, x1, y1 = person.box.round().astype(int).tolist()
        sure = "by its outline" if person.is_drawn else f"{person.score:.0%} sure"
        mark = ", taken when no number is given" if person is default else ""
        tell(f"{number}: x {x0} to {x1}, y {y0} to {y1}, {sure}{mark}")


def _warnings(report: dict[str, Any]) -> list[str]:
    """The report's warnings, those of each person included, once each."""
    reports = [report, *report.get("persons", ())]
    return list(dict.fromkeys(warning for each in reports for warning in each["warnings"]))


def _read_in_blender(settings: WakeUpSettings, tell: Tell) -> Clip | None:
    """The motion where Blender alone can read its file, before minutes go into a photo."""
    if not needs_blender(settings.motion):
        return None
    tell("Reading the motion")
    import bpy

    from ..scene import user_files
    from ..scene.animation import motion_source

    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    path = Path(settings.motion).expanduser()
    return motion_source.clip_from_file(
        path, settings.fps, user_files.mappings_folder(), take=settings.take
    )


def _write(
    results: tuple[WakeUpResult, ...],
    options: argparse.Namespace,
    folder: Path,
    tell: Tell,
    started: float,
) -> dict[str, Any]:
    """Build the scene, write all files but the report into `folder`, and return the report."""
    # Blender comes in late: what is wrong with a photo is said before its seconds are spent.
    import bpy

    from ..core.photo.image_files import save_png
    from ..core.reports import batch_sheet, contact_sheet
    from ..core.reports.report import compare_with_photo, describe, warnings_of_comparison
    from ..scene import build, output_files
    from ..scene.objects import wall
    from ..scene.render import film, stills
    from ..scene.render.settings import set_frames, set_video
    from ..scene.render.viewport import show_in_viewports

    result = results[0]
    photo = present(result.photo, "photo")
    output = chosen_output(options)
    report = describe(result)
    if len(results) > 1:
        report["persons"] = [describe(each) for each in results]

    @contextlib.contextmanager
    def timed(name: str, message: str) -> Iterator[None]:
        tell(message)
        begun = time.perf_counter()
        yield
        report["stages"][name] = {
            "seconds": round(time.perf_counter() - begun, 3),
            "peak_memory_mb": round(peak_memory_mb(), 1),
        }

    with timed("scene", "Building the scene"):
        bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
        scene = bpy.context.scene
        collection = build.build_group(results, scene)
        if options.motions:
            report["motions"] = _perform_folder(options, collection, tell)
            report["warnings"] += report["motions"]["notes"]
            results = (replace(result, motion_name="the folder's clips"),)
        stills.look_through(scene, collection, output.engine, output.width, WakeUpSettings.fps)
        show_in_viewports()
        wall.choose_wall(collection, chosen_settings(options).walks_out)
        said = stills.choose_camera(scene, collection, output.camera)
        if said:
            tell(said)
        stills.choose_light(collection, output.shadow, output.relight)
        # Beside the file: to Blender, "//" is where the file is.
        if output.output in ("png", "character"):
            set_frames(scene, "//frames")
        else:
            set_video(scene, "//video.mp4")
        output_files.save_blend(folder / "scene.blend")
    report["photo_to_scene_seconds"] = round(time.perf_counter() - started, 3)

    with timed("export", "Exporting the character"):
        for number, each in enumerate(results, start=1):
            suffix = f"_{number}" if len(results) > 1 else ""
            for kind in options.export:
                file = folder / f"character{suffix}{exporter_of(kind).suffix}"
                export_character(collection, kind, file, number)
            save_png(folder / f"mask{suffix}.png", present(each.person, "person").mask)
        save_png(folder / "background.png", present(result.background, "background").rgb)

    with timed("checks", "Comparing with the photo"):
        first = stills.first_frame(scene, collection)
        save_png(folder / "first_frame.png", first)
        seen = stills.silhouette(scene, collection) >= 128
        masks = [present(each.person, "person").mask for each in results]
        compared = compare_with_photo(first, photo.rgb, seen, masks)
        report.update(compared)
        report["warnings"] += warnings_of_comparison(compared)

    with timed("contact_sheet", "Composing the contact sheet"):
        panels, glance = panels_of(
            results, body_model(chosen_settings(options)), first, scene, collection
        )
        sheet = contact_sheet.compose(panels, contact_sheet.panel_size(photo))
        save_png(folder / "contact_sheet.png", sheet)
        save_png(folder / STRIP, batch_sheet.strip(glance))

    if output.output != "none":
        with timed("render", f"Rendering {scene.frame_end} frames"):
            target = folder / RENDERED[output.output]
            told_to_the_end(film.film(scene, collection, output.output, target), tell)
    report["frames"], report["fps"] = scene.frame_end, WakeUpSettings.fps
    report["engine"], report["render"] = output.engine, output.output
    return report


def _perform_folder(options: argparse.Namespace, collection: Any, tell: Tell) -> dict[str, Any]:
    """Lay the folder's motions on the character as NLA strips; what became of each file."""
    from ..scene import user_files
    from ..scene.animation import motion_folder, performing

    armature = performing.chosen_armature(collection, None)
    performed = told_to_the_end(
        motion_folder.perform_folder(
            performing.Performer.of(armature, collection),
            motion_files(Path(options.motions)),
            performing.photo_pose(armature),
            WakeUpSettings.fps,
            True,
            user_files.mappings_folder(),
            chosen_settings(options).performing,
        ),
        tell,
    )
    performing.push_nla_strips(armature, performed.motions, in_turn=True)
    tell(performed.sentence)
    lengths = [
        {"clip": name, "frames": len(motion.root), "warnings": list(motion.warnings)}
        for name, motion in performed.motions
    ]
    return {
        "performed": lengths,
        "failures": dict(performed.failures),
        "notes": list(performed.notes),
    }
