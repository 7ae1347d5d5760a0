"""Draws every sample photo and writes labels.json: `python sample_images/draw.py OUTPUT_FOLDER`.

The same bytes come out each time on one machine. They also depend on Pillow's encoders and on NumPy's arithmetic,
so labels.json names the versions that were used; with others the pictures may differ by a hair.
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import PIL
from PIL import Image
from portraits import scenes
from portraits.cast import CAST
from portraits.landscape import landscape
from portraits.portrait import take
from portraits.scenes import Shot, photograph

if TYPE_CHECKING:
    from portraits.camera import View
    from portraits.features import Features

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
        person: {"photos": [s.path for s in scenes.ENROLLED if s.person == person]}
        for person in scenes.PEOPLE
    }
    queries = [_query(shot, "person") for shot in scenes.ASKED]
    queries.append(_query(scenes.STRANGER, "stranger"))
    sitters = scenes.photograph_group().sitters
    group = [(row[0], sitter.view) for row, sitter in zip(scenes.GROUP, sitters, strict=True)]
    queries.append(_entry(scenes.GROUP_PATH, "group", group, scenes.GROUP_SIZE))
    queries.append(_entry(scenes.EMPTY_PATH, "empty", [], scenes.EMPTY_SIZE))
    queries.append(_query(scenes.ROTATED, "rotated"))
    return {"licence": "CC0-1.0", "drawn_with": drawn_with(), "people": people, "queries": queries}


def drawn_with() -> dict[str, str]:
    """What the bytes of the files depend on beside this script."""
    return {"pillow": PIL.__version__, "numpy": np.__version__, "machine": platform.machine()}


def _query(shot: Shot, kind: str) -> dict[str, object]:
    return _entry(shot.path, kind, [(shot.person, photograph(shot).sitters[0].view)], shot.size)


def _entry(path: str, kind: str, shown: list[tuple[str, View]], size: tuple[int, int]) -> dict[str, object]:
    boxes = [(person, face_box(CAST[person], view, size)) for person, view in shown]
    boxes.sort(key=lambda labelled: -labelled[1]["width"] * labelled[1]["height"])
    faces = [{"person": person if person in scenes.PEOPLE else None, "box": box} for person, box in boxes]
    known = [person for person, _ in boxes if person in scenes.PEOPLE]
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
