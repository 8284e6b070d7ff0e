"""A page that shows a character by itself: model, viewer and buttons in one HTML file.

The viewer is Google's <model-viewer> (Apache-2.0), taken from npm at set-up. The page's own policy
forbids it every connection, so that what opens is what is in the file.
"""

from __future__ import annotations

import base64
import html
import math
from pathlib import Path
from typing import Any

import numpy as np

from ..body.model.skeleton import BONE_NAMES
from ..errors import OutputError
from ..types import AnyArray
from .glb import Glb

_VIEWER = "model-viewer.min.js"
_ROOT = Path(__file__).resolve().parents[3]
_FOLDERS = (_ROOT / "assets" / "web", _ROOT / "build" / "web")  # the packaged extension's, ours

_FIELD_OF_VIEW_DEG = 30.0  # the viewer's own
_ROOM = 1.2  # of a character's height is seen: arms go up, and feet come nearer than hips
_AIR_M = 0.4  # from the hips to what a step or an arm puts before them
_FLOAT32 = 5126  # glTF's number for it

# Nothing from elsewhere; the viewer compiles its decoders of meshes and textures when it starts.
_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' 'wasm-unsafe-eval' blob:; "
    "style-src 'unsafe-inline'; img-src blob: data:; connect-src blob: data:; worker-src blob:"
)

_STYLE = """
:root { color-scheme: dark; font: 16px/1.4 system-ui, sans-serif; }
body { margin: 0; height: 100dvh; display: flex; flex-direction: column; color: #f2f0ec;
  background: radial-gradient(circle at 50% 35%, #4a4d55, #1b1c20); }
model-viewer { flex: 1; min-height: 0; width: 100%; --poster-color: transparent; }
nav { display: flex; flex-wrap: wrap; justify-content: center; gap: .5rem; padding: .75rem; }
button { font: inherit; color: inherit; padding: .45rem 1.1rem; border-radius: 2rem;
  cursor: pointer; background: #ffffff14; border: 1px solid #ffffff40; }
button:hover, button:focus-visible { background: #ffffff30; }
button[aria-pressed=true] { background: #f2f0ec; color: #1b1c20; }
button[slot=ar-button] { position: absolute; right: 1rem; bottom: 1rem; background: #1b1c20c0; }
"""

_SCRIPT = """
const viewer = document.querySelector('model-viewer');
const clips = [...document.querySelectorAll('[data-clip]')];
const play = document.getElementById('play');
const show = () => {
  if (!play) return;
  play.textContent = viewer.paused ? 'Play' : 'Pause';
  for (const each of clips)
    each.setAttribute('aria-pressed', String(each.dataset.clip === viewer.animationName));
};
for (const each of clips) each.addEventListener('click', async () => {
  viewer.animationName = each.dataset.clip;
  const seen = viewer.getCameraOrbit();
  viewer.cameraTarget = each.dataset.target;
  viewer.cameraOrbit = `${seen.theta}rad ${seen.phi}rad ${each.dataset.radius}`;
  await viewer.updateComplete;
  viewer.play();
  show();
});
if (play) play.addEventListener('click', () => {
  if (viewer.paused) viewer.play(); else viewer.pause();
});
for (const kind of ['play', 'pause', 'load']) viewer.addEventListener(kind, show);
const text = atob(document.getElementById('model').textContent);
const bytes = Uint8Array.from(text, letter => letter.charCodeAt(0));
viewer.src = URL.createObjectURL(new Blob([bytes], { type: 'model/gltf-binary' }));
"""


def viewer_script() -> str:
    """The viewer's source; OutputError where set-up could not get it.

    Raises
    ------
    OutputError
        If set-up could not get it.
    """
    for folder in _FOLDERS:
        if (folder / _VIEWER).is_file():
            text = (folder / _VIEWER).read_text(encoding="utf-8")
            # A map that is not there would be asked for.
            return text.rpartition("//# sourceMappingURL=")[0] or text
    raise OutputError(
        "The page's viewer is missing: install npm and run 'make setup', or install the extension "
        "again."
    )


def _way(glb: Glb, clip: dict[str, Any]) -> AnyArray:
    """(F, 3): where the hips are in a clip, metres, glTF's axes; empty if they do not move."""
    for channel in clip["channels"]:
        target = channel["target"]
        if target["path"] != "translation" or target.get("node") is None:
            continue
        if glb.json["nodes"][target["node"]].get("name") != BONE_NAMES[0]:
            continue
        accessor = glb.json["accessors"][clip["samplers"][channel["sampler"]]["output"]]
        if accessor["componentType"] != _FLOAT32 or "bufferView" not in accessor:
            continue
        view = glb.json["bufferViews"][accessor["bufferView"]]
        start = view.get("byteOffset", 0) + accessor.get("byteOffset", 0)
        values = np.frombuffer(glb.binary, np.float32, accessor["count"] * 3, start)
        return values.reshape(-1, 3)
    return np.zeros((0, 3), np.float32)


def _height(glb: Glb) -> float:
    """Of the largest mesh at rest, metres."""
    tops = [
        glb.json["accessors"][primitive["attributes"]["POSITION"]]["max"][1]
        for mesh in glb.json["meshes"]
        for primitive in mesh["primitives"]
    ]
    return float(max(tops))


def framing(glb: Glb, clip: dict[str, Any]) -> tuple[str, str]:
    """Where the viewer looks and from how far, so that the whole of a clip is seen: by itself it
    would frame the character at rest, who then walks out of the picture.

    Parameters
    ----------
    glb : Glb
        The model.
    clip : dict[str, Any]
        One of its animations, as glTF has it.

    Returns
    -------
    tuple[str, str]
        The viewer's camera target and orbit radius, in its own notation.
    """
    way, height = _way(glb, clip), _height(glb)
    low, high = (way.min(axis=0), way.max(axis=0)) if len(way) else (np.zeros(3), np.zeros(3))
    centre, reach = (low + high) / 2, (high - low) / 2
    half = height * _ROOM / 2
    radius = half / math.tan(math.radians(_FIELD_OF_VIEW_DEG / 2))
    radius += float(np.hypot(reach[0], reach[2])) + _AIR_M
    return f"{centre[0]:.3f}m {height / 2:.3f}m {centre[2]:.3f}m", f"{radius:.3f}m"


def web_page(title: str, glb: Glb) -> str:
    """The page's text, with a button for each of the model's clips; it begins with the first.

    Parameters
    ----------
    title : str
        The page's.
    glb : Glb
        The model.

    Returns
    -------
    str
        HTML that asks for no other file.
    """
    name = html.escape(title)
    buttons, first = "", ""
    for clip in glb.json.get("animations", ()):
        target, radius = framing(glb, clip)
        label = html.escape(clip["name"])
        buttons += (
            f'<button type="button" data-clip="{label}" data-target="{target}" '
            f'data-radius="{radius}" aria-pressed="false">{label}</button>\n'
        )
        first = first or (
            f' autoplay animation-name="{label}" camera-target="{target}"'
            f' camera-orbit="0deg 82deg {radius}"'
        )
    if buttons:
        buttons = f'<nav>\n<button type="button" id="play">Pause</button>\n{buttons}</nav>\n'
    model = base64.b64encode(glb.to_bytes()).decode()
    # Android's Scene Viewer takes nothing but addresses on the web; WebXR and Quick Look do.
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>{name}</title>
<style>{_STYLE}</style>
</head>
<body>
<model-viewer alt="{name}" camera-controls touch-action="pan-y" ar ar-modes="webxr quick-look"
 field-of-view="{_FIELD_OF_VIEW_DEG:g}deg" max-camera-orbit="Infinity auto 30m"
 shadow-intensity="0.8"{first}>
<button slot="ar-button" type="button">View in your room</button>
</model-viewer>
{buttons}<script type="application/base64" id="model">{model}</script>
<script type="module">{viewer_script()}</script>
<script type="module">{_SCRIPT}</script>
</body>
</html>
"""
