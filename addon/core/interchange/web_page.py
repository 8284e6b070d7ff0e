"""A page that shows a character by itself: model, viewer and buttons in one HTML file.

The viewer is Google's <model-viewer> (Apache-2.0), taken from npm at set-up. The page's own policy
forbids it every connection, so that what opens is what is in the file.
"""

from __future__ import annotations

import base64
import html
from collections.abc import Sequence
from pathlib import Path

from ..errors import OutputError

_VIEWER = "model-viewer.min.js"
_ROOT = Path(__file__).resolve().parents[3]
_FOLDERS = (_ROOT / "assets" / "web", _ROOT / "build" / "web")  # the packaged extension's, ours

_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline' blob:; style-src 'unsafe-inline'; "
    "img-src blob: data:; connect-src blob: data:; worker-src blob:"
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
    """The viewer's source; OutputError where set-up could not get it."""
    for folder in _FOLDERS:
        if (folder / _VIEWER).is_file():
            text = (folder / _VIEWER).read_text(encoding="utf-8")
            # A map that is not there would be asked for.
            return text.rpartition("//# sourceMappingURL=")[0] or text
    raise OutputError(
        "The page's viewer is missing: install npm and run 'make setup', or install the extension "
        "again."
    )


def web_page(title: str, glb: bytes, clips: Sequence[str]) -> str:
    """The page's text. clips : names of the model's animations, the one to begin with first"""
    name = html.escape(title)
    buttons = "".join(
        f'<button type="button" data-clip="{html.escape(clip)}" aria-pressed="false">'
        f"{html.escape(clip)}</button>\n"
        for clip in clips
    )
    if clips:
        buttons = f'<nav>\n<button type="button" id="play">Pause</button>\n{buttons}</nav>\n'
    first = f' autoplay animation-name="{html.escape(clips[0])}"' if clips else ""
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
 shadow-intensity="0.8"{first}>
<button slot="ar-button" type="button">View in your room</button>
</model-viewer>
{buttons}<script type="application/base64" id="model">{base64.b64encode(glb).decode()}</script>
<script type="module">{viewer_script()}</script>
<script type="module">{_SCRIPT}</script>
</body>
</html>
"""
