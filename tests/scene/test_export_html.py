"""The exported page in a real browser, without a network: what it shows and what its buttons do."""

from __future__ import annotations

import io
import shutil

import bpy
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import sync_playwright

from photo_wake_up.addon.core.errors import OutputError
from photo_wake_up.addon.core.interchange import web_page
from photo_wake_up.addon.scene import build
from photo_wake_up.addon.scene.animation.performing import push_nla_strips
from photo_wake_up.addon.scene.export.gltf import character_glb
from photo_wake_up.addon.scene.export.html import export_html

from . import figures, read_back

# Drawn by the processor: the machines that run tests have no graphics card.
FLAGS = ("--use-angle=swiftshader", "--enable-unsafe-swiftshader")
SIZE_PX = 640
PATIENCE_MS = 90_000  # a slow machine draws a frame a second
# Presses every button once the model is there, and tells after each what is played.
PRESS = """async () => {
  const viewer = document.querySelector('model-viewer');
  if (!viewer.loaded) await new Promise((done, failed) => {
    viewer.addEventListener('load', done);
    viewer.addEventListener('error', event => failed(event.detail.type));
  });
  const told = [];
  const tell = () => told.push([viewer.animationName, viewer.paused ? 'still' : 'moving']);
  tell();
  for (const button of document.querySelectorAll('nav button')) {
    button.click();
    await viewer.updateComplete;
    await new Promise(done => setTimeout(done, 50));
    tell();
  }
  return {clips: viewer.availableAnimations, told};
}"""


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


@pytest.fixture
def browser(chromium):
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(empty_file, tmp_path, viewer):
    result = figures.result()
    collection = build.build_scene(result)
    armature = build.find_parts(collection).armature
    bpy.data.actions.remove(armature.animation_data.action)
    clips = [("first", result.motion), ('<i>"2"</i>', result.motion)]
    push_nla_strips(armature, clips, in_turn=False)
    export_html(collection, tmp_path / "page.html")
    return tmp_path / "page.html"


def test_page_shows_the_character_and_its_buttons_work(browser, page):
    shown = browser.new_page(viewport={"width": SIZE_PX, "height": SIZE_PX})
    shown.set_default_timeout(PATIENCE_MS)
    asked, failed = [], []
    shown.on("request", lambda request: asked.append(request.url.split(":")[0]))
    shown.on("pageerror", lambda error: failed.append(str(error)))
    shown.goto(page.as_uri())
    seen = shown.evaluate(PRESS)
    assert seen["clips"] == ["first", '<i>"2"</i>']
    assert seen["told"] == [
        ["first", "moving"], ["first", "still"], ["first", "moving"], ['<i>"2"</i>', "moving"],
    ]  # fmt: skip
    assert shown.locator('[slot="ar-button"]').count() == 1
    assert not failed and set(asked) <= {"file", "blob", "data"}

    picture = np.asarray(Image.open(io.BytesIO(shown.screenshot())))[..., :3]
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
