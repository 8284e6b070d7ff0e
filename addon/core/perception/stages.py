"""The stages that find people and cut one of them out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..result import WakeUpResult
from ..settings import WakeUpSettings
from ..stage import Inputs, Report, Stage
from ..types import Detection


def chosen_person(people: tuple[Detection, ...], settings: WakeUpSettings) -> Detection:
    """The person that the settings mean; PersonError where there is no such person.

    Parameters
    ----------
    people : tuple[Detection, ...]
        Everyone who was found, left to right.
    settings : WakeUpSettings
        Number or box.

    Returns
    -------
    Detection
        The one who is meant.
    """
    from .detection.people import choose, in_box

    if settings.box is not None and settings.person == 0:
        return in_box(people, np.array(settings.box, np.float32))
    return choose(people, settings.person)


def _find(inputs: Inputs, _report: Report) -> WakeUpResult:
    from ..background.plate_networks import load_plate_network
    from .detection.people import find_in_box, find_people
    from .landmarks.joint_networks import load_joint_network
    from .landmarks.joints import with_joints_of
    from .segmentation.mask_networks import load_mask_network

    settings, photo = inputs.settings, inputs.photo
    joints = load_joint_network(settings.joint_network) if settings.joint_network else None
    if settings.mask_network:
        load_mask_network(settings.mask_network)  # a wrong file is refused before any work
    if settings.plate_network:
        load_plate_network(settings.plate_network)
    if settings.box is None:
        found = find_people(photo)
    else:
        found = find_in_box(photo, np.array(settings.box, np.float32), settings.seed)
    if joints is not None:
        found = tuple(with_joints_of(joints, photo.rgb, person) for person in found)
    return replace(inputs.result, people=found)


def _cut_out(inputs: Inputs, _report: Report) -> WakeUpResult:
    from .segmentation.mask_networks import load_mask_network
    from .segmentation.masks import segment_person

    settings = inputs.settings
    network = load_mask_network(settings.mask_network) if settings.mask_network else None
    chosen = chosen_person(inputs.people, settings)
    others = [other for other in inputs.people if other is not chosen]
    person = segment_person(inputs.photo, chosen, others, network, settings.seed)
    return replace(inputs.result, person=person)


PEOPLE = Stage(
    name="people", title="Find People", message="Looking for people", share=0.07,
    needs=("photo",), run=_find,
)  # fmt: skip
PERSON = Stage(
    name="person", title="Cut Out", message="Cutting the person out", share=0.14,
    needs=("people",), run=_cut_out,
)  # fmt: skip
