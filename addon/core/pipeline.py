"""The stages in order, timed, yielding Progress: a photo's file to a character that moves.

Results are immutable and partial ones are allowed: `advance` computes what is missing up to a
stage. Whoever corrects a value (a painted mask, a dragged joint) drops what depends on it with
`without` and advances again.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from .character.built import DEFAULT_TRIANGLES, CharacterBuild
from .errors import Cancelled, PhotoError, WakeUpError
from .frames import DEFAULT_HEIGHT_M
from .motion.options import PerformOptions
from .types import Background, Clip, Detection, FittedBody, Motion, Person, Photo, Progress, UInt8
from .user_paths import check_readable

# Stages in order, each named after the field of WakeUpResult that it fills, with its usual share
# of the time (measured on 1-megapixel photos) and what the status line says.
_STAGES: dict[str, tuple[float, str]] = {
    "photo": (0.01, "Reading the photo"),
    "people": (0.07, "Looking for people"),
    "person": (0.14, "Cutting the person out"),
    "fitted": (0.22, "Fitting the body"),
    "build": (0.38, "Building the character"),
    "background": (0.16, "Filling the background"),
    "motion": (0.02, "Performing the motion"),
}
STAGES = tuple(_STAGES)

# What each stage's value is made from.
_NEEDS: dict[str, tuple[str, ...]] = {
    "photo": (),
    "people": ("photo",),
    "person": ("people",),
    "fitted": ("person",),
    "build": ("person", "fitted"),
    "background": ("person",),
    "motion": ("build",),
}

_POLL_S = 0.05  # how soon a caller learns of progress


@dataclass(frozen=True)
class WakeUpSettings:
    """What the user chooses; everything else follows from the photo."""

    person: int = 0  # counted from the left, from 1; 0: the most prominent one
    box: tuple[float, float, float, float] | None = None  # x0 y0 x1 y1 in pixels: who is meant
    motion: str = "walk"  # a built-in clip's name or the path of a .bvh, .npz or .fbx file
    take: str = ""  # name or number, from 1, of which motion in a file; empty: the first
    frames: int = 120  # length of the motion, the photo's pose included
    performing: PerformOptions = PerformOptions()  # speed, mirrored, on the spot, returning
    # Points on the ground to walk along, metres in the character's world; empty: to the camera.
    path: tuple[tuple[float, float, float], ...] = ()
    walks_out: bool = False  # on, though the photo's camera loses the head: a wall is around it
    fps: float = 24.0
    height_m: float = DEFAULT_HEIGHT_M  # the person's height in T-pose
    focal_px: float | None = None  # the photo's focal length; None: EXIF, else the longer side
    triangles: int = DEFAULT_TRIANGLES  # at most so many in a character's mesh
    seed: int = 0  # of all randomness
    body_file: str = ""  # an SMPL, SMPL-H or SMPL-X file of the user's; empty: the default body
    mask_network: str = ""  # an ONNX file of the user's for masks; empty: the built-in network
    joint_network: str = ""  # an ONNX file of the user's for joints; empty: the built-in network
    plate_network: str = ""  # an ONNX file of the user's that fills the plate; empty: PatchMatch
    remove_shadow: bool = True  # whether the shadow leaves the plate together with the person
    back: str = "synthesised"  # how the texture's back is painted, or "mirrored" from the front
    mirrored_parts: tuple[str, ...] = ()  # body parts whose back is mirrored even so
    texture_px: int = 2048  # the texture's largest side, a power of two


@dataclass(frozen=True, eq=False)
class StageCost:
    """What a stage took."""

    seconds: float
    peak_memory_mb: float  # of the whole process up to the stage's end


@dataclass(frozen=True, eq=False)
class WakeUpResult:
    """The values of all stages, None where a stage has not run."""

    photo: Photo | None = None
    people: tuple[Detection, ...] | None = None
    person: Person | None = None
    fitted: FittedBody | None = None
    build: CharacterBuild | None = None
    background: Background | None = None
    motion: Motion | None = None
    motion_name: str = ""  # the clip's
    motion_notes: tuple[str, ...] = ()  # sentences of the clip's file: assumptions, other takes
    painted: UInt8 | None = None  # (H, W), part labels that the user asks for, 0 where nothing
    costs: dict[str, StageCost] = field(default_factory=dict)

    def without(self, *stages: str) -> WakeUpResult:
        """The result without these stages' values and all that was made from them."""
        gone = with_followers(stages)
        if "person" in gone:  # strokes are of one person's picture
            gone.add("painted")
        return replace(self, **dict.fromkeys(gone))


def needs(stage: str) -> tuple[str, ...]:
    """The stages whose values a stage's own is made from."""
    return _NEEDS[stage]


def with_followers(stages: Iterable[str]) -> set[str]:
    """These stages and all whose values are made from theirs."""
    found = set(stages)
    for stage in STAGES:
        if found.intersection(_NEEDS[stage]):
            found.add(stage)
    return found


def wake_up(
    photo_path: Path | str, settings: WakeUpSettings, clip: Clip | None = None
) -> Generator[Progress, None, WakeUpResult]:
    """All stages for one photo; the generator's return value is the finished result.

    Raises WakeUpError kinds with a sentence for the user and the stage that failed. Closing the
    generator stops the work at the running stage's next report.
    """
    return (yield from advance(WakeUpResult(), settings, photo_path, clip=clip))


def advance(
    result: WakeUpResult,
    settings: WakeUpSettings,
    photo_path: Path | str = "",
    until: str = STAGES[-1],
    clip: Clip | None = None,
) -> Generator[Progress, None, WakeUpResult]:
    """Compute the values that `until` needs and that `result` lacks, and return them with it.

    clip : the settings' motion, where only Blender can read its file; None: it is read here
    """
    wanted = _needed_for(until, result)
    total = sum(_STAGES[stage][0] for stage in wanted) or 1.0
    done = 0.0
    if "motion" in wanted[1:] and clip is None:  # alone, the stage says it as soon
        yield from motion_checked(settings)
    for stage in wanted:
        share, message = _STAGES[stage]
        yield Progress(done / total, message)
        started = time.perf_counter()
        work = in_thread(
            _work(stage, result, settings, photo_path, clip), done / total, share / total, message
        )
        values = yield from _named(stage, work)
        cost = StageCost(time.perf_counter() - started, peak_memory_mb())
        result = replace(result, **values, costs={**result.costs, stage: cost})
        done += share
    yield Progress(1.0, "Done")
    return result


_Value = TypeVar("_Value")


def _named(
    stage: str, work: Generator[Progress, None, _Value]
) -> Generator[Progress, None, _Value]:
    """The same work, whose errors say which stage they come from."""
    try:
        return (yield from work)
    except WakeUpError as error:
        error.stage = stage
        raise


def motion_checked(settings: WakeUpSettings) -> Generator[Progress, None, None]:
    """Raise MotionError for a motion that cannot be read, before minutes go into a photo."""

    def read(_report: Report) -> Values:
        from .motion.library import load_motion

        load_motion(settings.motion, settings.fps, settings.take)
        return {}

    yield from _named("motion", in_thread(read, 0.0, 0.0, "Reading the motion"))


def drain(work: Generator[Progress, None, WakeUpResult]) -> WakeUpResult:
    """Run a generator of work to its end and return its value."""
    while True:
        try:
            next(work)
        except StopIteration as finished:
            return finished.value


def peak_memory_mb() -> float:
    """Largest resident memory of this process so far, in megabytes; 0 where nobody counts."""
    try:
        import resource
    except ImportError:  # Windows has no such count
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts kilobytes, macOS bytes.
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


def _needed_for(stage: str, result: WakeUpResult) -> list[str]:
    """The stage and the missing ones it rests on, in order."""
    wanted: set[str] = set()

    def want(name: str) -> None:
        if getattr(result, name) is None and name not in wanted:
            wanted.add(name)
            for needed in _NEEDS[name]:
                want(needed)

    want(stage)
    if stage == STAGES[-1]:
        want("background")
    return [name for name in STAGES if name in wanted]


def chosen_person(people: tuple[Detection, ...], settings: WakeUpSettings) -> Detection:
    """Whom the settings mean; PersonError where there is no such person."""
    from .perception.people import choose, in_box

    if settings.box is not None and settings.person == 0:
        return in_box(people, np.array(settings.box, np.float32))
    return choose(people, settings.person)


Report = Callable[[Progress], None]
Values = dict[str, Any]


def _work(
    stage: str,
    result: WakeUpResult,
    settings: WakeUpSettings,
    photo_path: Path | str,
    read_clip: Clip | None,
) -> Callable[[Report], Values]:
    """The stage as a function of a progress callback; imports wait until they are needed."""

    def photo(report: Report) -> Values:
        from .focal_length import camera_of
        from .images import load_photo

        check_readable(Path(photo_path), PhotoError, "choose another photo")
        found = load_photo(photo_path)
        camera_of(found, settings.focal_px)  # refused before any work
        return {"photo": found}

    def people(report: Report) -> Values:
        from .background.plate_networks import load_plate_network
        from .perception.joint_networks import load_joint_network
        from .perception.joints import with_joints_of
        from .perception.mask_networks import load_mask_network
        from .perception.people import find_in_box, find_people

        joints = load_joint_network(settings.joint_network) if settings.joint_network else None
        if settings.mask_network:
            load_mask_network(settings.mask_network)  # a wrong file is refused before any work
        if settings.plate_network:
            load_plate_network(settings.plate_network)
        if settings.box is None:
            found = find_people(result.photo)
        else:
            found = find_in_box(result.photo, np.array(settings.box, np.float32), settings.seed)
        if joints is not None:
            found = tuple(with_joints_of(joints, result.photo.rgb, person) for person in found)
        return {"people": found}

    def person(report: Report) -> Values:
        from .perception.mask_networks import load_mask_network
        from .perception.masks import segment_person

        network = load_mask_network(settings.mask_network) if settings.mask_network else None
        chosen = chosen_person(result.people, settings)
        others = [other for other in result.people if other is not chosen]
        cut_out = segment_person(result.photo, chosen, others, network, settings.seed)
        return {"person": cut_out}

    def fitted(report: Report) -> Values:
        from .body.fit import fit_body

        return {
            "fitted": fit_body(
                result.photo,
                result.person,
                body_model(settings),
                height_m=settings.height_m,
                focal_px=settings.focal_px,
                progress=report,
                seed=settings.seed,
            )
        }

    def build(report: Report) -> Values:
        from .character.build import CharacterSettings, build_character

        chosen = CharacterSettings(
            triangles=settings.triangles,
            back=settings.back,
            mirrored_parts=settings.mirrored_parts,
            texture_px=settings.texture_px,
            seed=settings.seed,
        )
        model = body_model(settings)
        return {
            "build": build_character(
                result.photo,
                result.person,
                model,
                result.fitted,
                chosen,
                progress=report,
                labels=result.painted,
            )
        }

    def background(report: Report) -> Values:
        from .background.plate import fill_background
        from .background.plate_networks import load_plate_network

        network = load_plate_network(settings.plate_network) if settings.plate_network else None
        return {
            "background": fill_background(
                result.photo,
                result.person.mask,
                seed=settings.seed,
                progress=report,
                shadow=settings.remove_shadow,
                network=network,
            )
        }

    def motion(report: Report) -> Values:
        from .motion.flesh import flesh_of
        from .motion.library import load_motion
        from .motion.perform import perform
        from .motion.viewer import Viewer

        clip = read_clip or load_motion(settings.motion, settings.fps, settings.take)
        character = result.build.character
        lens, place = result.fitted.camera, character.world_from_camera
        performed = perform(
            character.skeleton,
            character.pose,
            clip,
            settings.frames,
            settings.fps,
            viewer=Viewer(place[:3, 3]) if settings.walks_out else Viewer.of(lens, place),
            options=settings.performing,
            path=settings.path or None,
            flesh=flesh_of(character.skeleton, character.rest_vertices, character.weights),
        )
        return {"motion": performed, "motion_name": clip.name, "motion_notes": clip.notes}

    return locals()[stage]


def body_model(settings: WakeUpSettings) -> Any:
    """The body that the settings ask for."""
    from .body.body_files import cached_body_model
    from .model_files import model_path

    path = Path(settings.body_file) if settings.body_file else model_path("body.npz")
    return cached_body_model(path)


def in_thread(
    work: Callable[[Report], _Value], base: float, share: float, message: str
) -> Generator[Progress, None, _Value]:
    """Run a stage, or other work, beside the generator, so that its reports can be yielded while
    it works.

    message : what is told until the stage reports anything
    When the generator is closed, the stage's next report raises Cancelled in its thread.
    """
    reports: queue.SimpleQueue[Progress | None] = queue.SimpleQueue()
    stopped = threading.Event()
    outcome: dict[str, Any] = {}

    def report(progress: Progress) -> None:
        if stopped.is_set():
            raise Cancelled("Stopped: nothing has been changed.")
        reports.put(progress)

    def run() -> None:
        try:
            outcome["values"] = work(report)
        except BaseException as error:  # noqa: BLE001 - raised again where the caller waits
            outcome["error"] = error
        reports.put(None)

    thread = threading.Thread(target=run, name="wake-up stage", daemon=True)
    thread.start()
    last = Progress(base, message)
    try:
        while True:
            try:
                report_ = reports.get(timeout=_POLL_S)
            except queue.Empty:
                yield last  # keeps a window that steps this generator alive
                continue
            if report_ is None:
                break
            last = Progress(base + share * min(max(report_.fraction, 0.0), 1.0), report_.message)
            yield last
    finally:
        stopped.set()
        thread.join()
    if "error" in outcome:
        raise outcome["error"]
    return outcome["values"]
