"""What all buttons share: errors become sentences, long work can be watched and stopped."""

from __future__ import annotations

import logging
from collections.abc import Generator
from typing import Any

import bpy

from ..addon.core.errors import NobodyFoundError, WakeUpError
from ..addon.core.pipeline.request import Request, run
from ..addon.core.types import Progress
from ..addon.ui.preferences import uses_worker
from ..addon.worker import advance_in_worker

logger = logging.getLogger(__name__)

_open_jobs: list[Job] = []  # that are to be stopped when the extension is switched off
TICK_S = 0.05  # between two looks at the work
Work = Generator[Progress, None, Any]


class Job:
    """Work that is stepped, shown in the window's status, and always cleaned up after."""

    def __init__(self, context: bpy.types.Context, work: Work, title: str) -> None:
        self._work = work
        self._title = title
        self._manager = context.window_manager
        self._workspace = context.workspace
        self._timer: bpy.types.Timer | None = None
        self.result: Any = None
        status = self._manager.wake_up
        status.running, status.failed = True, False
        status.fraction, status.message, status.needs_box = 0.0, title, False
        note_failure(context, "", "")
        self._manager.progress_begin(0.0, 1.0)
        _open_jobs.append(self)

    def watch(self, window: bpy.types.Window) -> None:
        """Have the window send TIMER events while the work goes on."""
        self._timer = self._manager.event_timer_add(TICK_S, window=window)

    def step(self) -> bool:
        """Let the work go on a little; True when it is done and `result` is there."""
        try:
            progress = next(self._work)
        except StopIteration as finished:
            self.result = finished.value
            return True
        status = self._manager.wake_up
        status.fraction = min(max(progress.fraction, 0.0), 1.0)
        status.message = progress.message
        self._manager.progress_update(status.fraction)
        if self._workspace is not None:
            self._workspace.status_text_set(
                f"{self._title}: {progress.message} ({status.fraction:.0%}), Esc to stop"
            )
        return False

    def close(self, message: str, failed: bool = False) -> None:
        """Stop the work, and take timer, progress and status text away."""
        if self not in _open_jobs:
            return
        _open_jobs.remove(self)
        try:
            self._work.close()
        finally:
            if self._timer is not None:
                self._manager.event_timer_remove(self._timer)
                self._timer = None
            self._manager.progress_end()
            if self._workspace is not None:
                self._workspace.status_text_set(None)
            status = self._manager.wake_up
            status.running, status.failed, status.fraction = False, failed, 0.0
            status.message = message


def stop_all() -> None:
    """Stop whatever is at work, and the processes that work for it."""
    for job in list(_open_jobs):
        job.close("Stopped: the extension was switched off")


def is_idle(operator: type, context: bpy.types.Context) -> bool:
    """For polls: whether no stage is at work, with the reason where one is."""
    if context.window_manager.wake_up.running:
        operator.poll_message_set("A stage is at work: wait for it, or press Esc")
        return False
    return True


def can_start(
    operator: type, context: bpy.types.Context, modes: tuple[str, ...] = ("OBJECT",)
) -> bool:
    """For polls: whether there is a photo, nothing else at work, and Blender in one of `modes`,
    with the reason where not."""
    if not is_idle(operator, context):
        return False
    if not context.scene.wake_up.photo:
        operator.poll_message_set("Choose a photo first")
        return False
    if context.mode not in modes:
        names = " or ".join(mode.capitalize() for mode in modes)
        operator.poll_message_set(f"Go to {names} Mode first")
        return False
    return True


class JobOperator:
    """An operator that computes first and builds in one final, undoable step.

    Subclasses give `request` (what to compute) and `finish` (build it, return one sentence).
    `execute` works through to the end; `invoke` steps the same work from a timer.
    """

    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return can_start(cls, context)

    def request(self, context: bpy.types.Context) -> Any:
        """What is to be computed, a `Request` where `work` is not another one; raises WakeUpError
        before any work."""
        raise NotImplementedError

    def work(self, request: Any, in_worker: bool) -> Work:
        """The work that gives what was asked for."""
        if in_worker and not self.is_quick(request):
            return advance_in_worker(request)
        return run(request)

    def finish(self, context: bpy.types.Context, outcome: Any) -> str:
        """Put the finished values into the file; returns what is reported."""
        raise NotImplementedError

    def is_quick(self, _request: Request) -> bool:
        """Whether the work is done sooner than a process for it would have started."""
        return False

    def execute(self, context: bpy.types.Context) -> set[str]:
        return self._started(context, in_worker=False) or self._drained(context)

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        if bpy.app.background or context.window is None:
            return self.execute(context)
        refused = self._started(context, uses_worker(context))
        if refused:
            return refused
        self._job.watch(context.window)
        context.window_manager.modal_handler_add(self)
        return {"RUNNING_MODAL"}

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        if event.type == "ESC" and event.value == "PRESS":
            self.cancel(context)
            self.report({"INFO"}, "Stopped: nothing has been changed")
            return {"CANCELLED"}
        if event.type != "TIMER":
            return {"PASS_THROUGH"}
        _redraw(context)
        return self._stepped(context) or {"RUNNING_MODAL"}

    def cancel(self, _context: bpy.types.Context) -> None:
        """Also called by Blender when it closes the file or the window."""
        self._job.close("Stopped: nothing has been changed")

    def stage_of(self, error: WakeUpError) -> str:
        """The stage that an error is of; empty if the work is no stage."""
        return error.stage

    def _started(self, context: bpy.types.Context, in_worker: bool) -> set[str] | None:
        try:
            work = self.work(self.request(context), in_worker)
        except WakeUpError as error:
            context.window_manager.wake_up.message = str(error)
            context.window_manager.wake_up.failed = True
            note_failure(context, self.stage_of(error), str(error))
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        self._job = Job(context, work, self.bl_label)
        return None

    def _drained(self, context: bpy.types.Context) -> set[str]:
        while True:
            ended = self._stepped(context)
            if ended:
                return ended

    def _stepped(self, context: bpy.types.Context) -> set[str] | None:
        """One step of the work; what the operator returns when it has ended, else None."""
        job = self._job
        try:
            if not job.step():
                return None
            message = self.finish(context, job.result)
        except WakeUpError as error:
            job.close(str(error), failed=True)
            note_failure(context, self.stage_of(error), str(error))
            context.window_manager.wake_up.needs_box = isinstance(error, NobodyFoundError)
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        except BaseException:
            job.close("This should not have happened: see the system console", failed=True)
            raise
        job.close(message)
        self.report({"INFO"}, message)
        return {"FINISHED"}


class QuickOperator:
    """An operator that is done at once. Subclasses give `act`; what it returns is reported, and so
    is a WakeUpError."""

    bl_options = {"REGISTER", "UNDO"}

    def act(self, context: bpy.types.Context) -> str:
        """Do it; returns one sentence."""
        raise NotImplementedError

    def execute(self, context: bpy.types.Context) -> set[str]:
        status = context.window_manager.wake_up
        try:
            status.message = self.act(context)
        except WakeUpError as error:
            status.message, status.failed = str(error), True
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        status.failed = False
        self.report({"INFO"}, status.message)
        return {"FINISHED"}


def note_failure(context: bpy.types.Context, stage: str, reason: str) -> None:
    """Have the panel say which stage failed and why, until the next work starts."""
    status = context.window_manager.wake_up
    status.failed_stage, status.failure = stage, reason
    status.failed_scene = context.scene.name if stage else ""


def _redraw(context: bpy.types.Context) -> None:
    """Draw sidebars again, so that the progress moves; the scene beside them has not changed, and
    drawing it would take the time from the work."""
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()
