"""The exported page in a real browser, without a network: what it shows and what its buttons do."""

from __future__ import annotations

import html
import io
import re
import shutil
import subprocess

import bpy
import numpy as np
import pytest
from PIL import Image

from photo_wake_up.addon.core.errors import OutputError
from photo_wake_up.addon.core.interchange import web_page
from photo_wake_up.addon.scene import build
from photo_wake_up.addon.scene.export_gltf import character_glb
from photo_wake_up.addon.scene.export_html import export_html
from photo_wake_up.addon.scene.performing import lay_strips

from . import figures, read_back

FLAGS = (
    "--headless", "--no-sandbox", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--window-size=640,640",
    "--virtual-time-budget=20000",
)  # fmt: skip
SECONDS = 90
# Presses every button once the model is there, and tells what became of it.
PROBE = """<script type="module">
const viewer = document.querySelector('model-viewer');
const told = [];
const tell = () => told.push(viewer.animationName + (viewer.paused ? ' still' : ' moving'));
viewer.addEventListener('error', event => { document.title = 'error ' + event.detail; });
viewer.addEventListener('load', async () => {
  tell();
  for (const button of document.querySelectorAll('nav button')) {
    button.click();
    await viewer.updateComplete;
    await new Promise(done => setTimeout(done, 50));
    tell();
  }
  document.title = [...viewer.availableAnimations].join(',') + '|' + told.join(',');
});
</script></body>"""


@pytest.fixture
def chromium():
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    return found


@pytest.fixture
def viewer():
    try:
        return web_page.viewer_script()
    except OutputError:
        pytest.skip("the page's viewer is not installed: npm was not there at set-up")


def browse(chromium, tmp_path, page, *options):
    return subprocess.run(
        [chromium, *FLAGS, f"--user-data-dir={tmp_path / 'profile'}", *options, page.as_uri()],
        capture_output=True, check=True, timeout=SECONDS,
    ).stdout  # fmt: skip


@pytest.fixture
def page(empty_file, tmp_path, viewer):
    result = figures.result()
    collection = build.build_scene(result)
    armature = build.find_parts(collection).armature
    bpy.data.actions.remove(armature.animation_data.action)
    clips = [("first", result.motion), ('<i>"2"</i>', result.motion)]
    lay_strips(armature, clips, in_turn=False)
    export_html(collection, tmp_path / "page.html")
    return tmp_path / "page.html"


def test_page_shows_the_character_and_its_buttons_work(chromium, tmp_path, page):
    probed = tmp_path / "probed.html"
    probed.write_text(page.read_text().replace("</body>", PROBE))
    seen = browse(chromium, tmp_path, probed, "--dump-dom").decode()
    title = html.unescape(re.search("<title>(.*?)</title>", seen)[1])
    clips, told = title.split("|")
    assert clips == 'first,<i>"2"</i>'
    assert told.split(",") == [
        "first moving", "first still", "first moving", '<i>"2"</i> moving',
    ]  # fmt: skip
    assert 'slot="ar-button"' in seen

    browse(chromium, tmp_path, page, f"--screenshot={tmp_path / 'page.png'}")
    picture = np.asarray(Image.open(io.BytesIO((tmp_path / "page.png").read_bytes())))[..., :3]
    # The figure's colours, red against green, are nowhere else on the page.
    colourful = np.ptp(picture.astype(int), axis=-1) > 80
    assert 0.002 < colourful.mean() < 0.5


def test_page_needs_nothing_from_elsewhere(page, viewer):
    text = page.read_text()
    assert "sourceMappingURL" not in text and text.count("<script") == 3
    ours = text.replace(viewer, "")
    assert "http:" not in ours and "https:" not in ours
    assert "default-src 'none'" in text and "<i>" not in ours
    assert [item.name for item in page.parent.iterdir()] == ["page.html"]


def test_a_viewer_that_is_missing_is_one_sentence(empty_file, tmp_path, monkeypatch):
    monkeypatch.setattr(web_page, "_FOLDERS", (tmp_path,))
    collection = build.build_scene(figures.result(moving=False))
    with pytest.raises(OutputError, match="make setup"):
        export_html(collection, tmp_path / "page.html")
    assert not list(tmp_path.iterdir())


def test_whole_clip_is_within_the_picture(empty_file, tmp_path):
    collection = build.build_scene(figures.result())
    glb = character_glb(collection, tmp_path / "a.glb")
    (clip,) = glb.json["animations"]
    target, radius = web_page.framing(glb, clip)
    look_at = np.array([float(part[:-1]) for part in target.split()])
    character = build.find_parts(collection).character
    inside = np.tan(np.radians(web_page._FIELD_OF_VIEW_DEG / 2))
    for frame in range(1, figures.FRAMES + 1):
        x, y, z = read_back.corners(character, frame).reshape(-1, 3).T
        away = float(radius[:-1]) - (-y - look_at[2])  # from a camera before the character
        assert np.abs((z - look_at[1]) / away).max() < inside
        assert np.abs((x - look_at[0]) / away).max() < inside
