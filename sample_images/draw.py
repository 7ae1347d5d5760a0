"""Draws every sample photo and writes labels.json: `python sample_images/draw.py OUTPUT_FOLDER`.

The same bytes come out each time on one machine. JPEG and PNG bytes also depend on Pillow's encoders, and the
random textures on NumPy, so labels.json names the versions that were used; other versions may differ by a hair.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import PIL
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parent))

from portraits import scenes  # noqa: E402  (the folder beside this script is no installed package)
from portraits.camera import View  # noqa: E402
from portraits.features import Features  # noqa: E402
from portraits.landscape import landscape  # noqa: E402
from portraits.portrait import take  # noqa: E402
from portraits.scenes import Shot, photograph  # noqa: E402

JPEG_QUALITY = 87
ORIENTATION, TURN_CLOCKWISE_TO_SEE = 0x0112, 6


def draw_all(folder: Path) -> None:
    """Every photo, the person files and labels.json, into `folder`."""
    for shot in (*scenes.ENROLLED, *scenes.ASKED, scenes.STRANGER):
        save(draw_shot(shot), folder / shot.path)
    save(take(scenes.photograph_group()), folder / scenes.GROUP_PATH)
    save(landscape(scenes.EMPTY_SIZE, seed=5), folder / scenes.EMPTY_PATH)
    save_sideways(draw_shot(scenes.ROTATED), folder / scenes.ROTATED.path)
    for path, text in scenes.PERSON_FILES.items():
        (folder / path).write_text(text, encoding="utf-8")
    text = json.dumps(labels(), ensure_ascii=False, indent=1)
    (folder / "labels.json").write_text(text + "\n", encoding="utf-8")


def draw_shot(shot: Shot) -> Image.Image:
    """One portrait, upright."""
    return take(photograph(shot))


def save(picture: Image.Image, path: Path) -> None:
    """As PNG or JPEG, by the path's ending."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".png":
        picture.save(path, optimize=True)
    else:
        picture.save(path, quality=JPEG_QUALITY, subsampling="4:2:0", optimize=True)


def save_sideways(picture: Image.Image, path: Path) -> None:
    """As a camera held on its side stores it: the pixels lie, and EXIF says how to turn them."""
    exif = Image.Exif()
    exif[ORIENTATION] = TURN_CLOCKWISE_TO_SEE
    lying = picture.transpose(Image.Transpose.ROTATE_90)
    lying.save(path, quality=JPEG_QUALITY, subsampling="4:2:0", optimize=True, exif=exif)


def labels() -> dict[str, object]:
    """Who is where. Boxes are ratios of the upright picture, as the renderer knows them, largest first."""
    people = {
        person: {"photos": [s.path for s in scenes.ENROLLED if s.person == person]} for person in scenes.PEOPLE
    }
    queries = [_query(shot, "person") for shot in scenes.ASKED]
    queries.append(_query(scenes.STRANGER, "stranger"))
    group = [(sitter_of[0], sitter.view) for sitter_of, sitter in
             zip(scenes.GROUP, scenes.photograph_group().sitters, strict=True)]
    queries.append(_entry(scenes.GROUP_PATH, "group", group, scenes.GROUP_SIZE))
    queries.append(_entry(scenes.EMPTY_PATH, "empty", [], scenes.EMPTY_SIZE))
    queries.append(_query(scenes.ROTATED, "rotated"))
    versions = {"pillow": PIL.__version__, "numpy": np.__version__}
    return {"licence": "CC0-1.0", "drawn_with": versions, "people": people, "queries": queries}


def _query(shot: Shot, kind: str) -> dict[str, object]:
    return _entry(shot.path, kind, [(shot.person, photograph(shot).sitters[0].view)], shot.size)


def _entry(path: str, kind: str, shown: list[tuple[str, View]], size: tuple[int, int]) -> dict[str, object]:
    faces = [
        {"person": person if person in scenes.PEOPLE else None, "box": face_box(scenes.CAST[person], view, size)}
        for person, view in shown
    ]
    faces.sort(key=lambda face: -face["box"]["width"] * face["box"]["height"])  # type: ignore[index]
    known = [face["person"] for face in faces if face["person"]]
    return {"photo": path, "kind": kind, "shows": known, "faces": faces}


def face_box(features: Features, view: View, size: tuple[int, int]) -> dict[str, float]:
    """The oval from the middle of the forehead to the chin and from cheek to cheek."""
    angle = np.linspace(0.0, 2.0 * np.pi, 72)
    top, bottom = -0.65, features.chin
    u = 0.95 * features.width * np.sin(angle)
    v = (top + bottom) / 2.0 + (bottom - top) / 2.0 * np.cos(angle)
    oval = view.project(np.stack([u, v, np.full_like(u, 0.4)], axis=1))
    left, right = oval[:, 0].min() / size[0], oval[:, 0].max() / size[0]
    high, low = oval[:, 1].min() / size[1], oval[:, 1].max() / size[1]
    edges = {"left": left, "top": high, "width": right - left, "height": low - high}
    return {name: round(float(value), 4) for name, value in edges.items()}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python sample_images/draw.py OUTPUT_FOLDER")
    draw_all(Path(sys.argv[1]))
