"""The shooting list: which photo shows whom, where, in what light and with what face."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from portraits.camera import View
from portraits.cast import CAST
from portraits.features import Expression
from portraits.fields import Colour
from portraits.light import Light
from portraits.portrait import Photo, Sitter
from portraits.wardrobe import Clothes

LIGHTS = {
    "window": Light(),
    "lamp": Light(key=(0.6, -0.4, 0.7), key_colour=(1.0, 0.9, 0.78), strength=0.95, ambient=0.4),
    "noon": Light(key=(0.25, -0.75, 0.7), key_colour=(1.0, 0.98, 0.94), strength=1.0, ambient=0.5),
    "cloud": Light(key=(-0.15, -0.5, 0.9), key_colour=(0.97, 0.99, 1.02), strength=0.8, ambient=0.62),
    "golden": Light(key=(-0.65, -0.3, 0.7), key_colour=(1.06, 0.9, 0.7), strength=1.0, ambient=0.42, rim=0.4),
}

FACES = {
    "calm": Expression(smile=0.15),
    "smile": Expression(smile=0.6, eyes=0.97),
    "grin": Expression(smile=0.85, teeth=0.6, eyes=0.92, brows=0.2),
    "laugh": Expression(smile=1.0, teeth=1.0, eyes=0.86, brows=0.4),
    "wonder": Expression(smile=0.3, teeth=0.25, eyes=1.06, brows=0.8),
    "aside": Expression(smile=0.35, gaze=(0.2, 0.0)),
}

NAVY, CREAM, RUST, MOSS = (52, 68, 104), (226, 216, 196), (164, 84, 56), (88, 104, 70)
CHARCOAL, PLUM, TEAL, ROSE = (62, 64, 70), (104, 62, 92), (48, 108, 112), (196, 122, 124)
MUSTARD, WHITE, SKY, WINE = (196, 152, 64), (236, 236, 232), (132, 166, 196), (122, 42, 56)


@dataclass(frozen=True)
class Shot:
    """One person before a backdrop. `scale` is half the face's width as a share of the picture's width."""

    path: str
    person: str
    size: tuple[int, int]
    pose: tuple[float, float, float]  # yaw, pitch, roll in degrees
    face: str
    light: str
    place: str
    tint: Colour
    clothes: Clothes
    scale: float = 0.235
    at: tuple[float, float] = (0.5, 0.44)  # between the eyes, as shares of width and height


def _seed(text: str) -> int:
    return zlib.crc32(text.encode())


def photograph(shot: Shot) -> Photo:
    """The shot, ready to be taken."""
    width, height = shot.size
    view = View(shot.at[0] * width, shot.at[1] * height, shot.scale * width, *shot.pose)
    sitter = Sitter(CAST[shot.person], FACES[shot.face], view, shot.clothes, _seed(shot.path + shot.person))
    return Photo(shot.size, shot.place, shot.tint, LIGHTS[shot.light], [sitter], _seed(shot.path))


JONAS, ZHANNA, YUI, JOSE = "Jonas Weber", "Жанна Орлова", "田中 結衣", "José Ñandú"
AMARA, MARGARET, SAMUEL, LEYLA = "Amara Okafor", "Margaret Doyle", "Samuel Adeyemi", "Leyla Haddad"
HUGO, CIARA = "Hugo Lindqvist", "Ciara Byrne"
PEOPLE = (AMARA, HUGO, JOSE, LEYLA, MARGARET, SAMUEL, ZHANNA, YUI)

GREY, GREEN, SAND, NIGHT = (124, 132, 142), (84, 128, 66), (186, 174, 152), (44, 46, 78)
SEA, BRICK, OLIVE, BLUSH = (112, 162, 204), (158, 98, 76), (108, 118, 84), (196, 164, 152)
WALNUT, DOVE = (142, 116, 92), (146, 154, 168)

# Tables: a photo takes two lines.
# fmt: off
ENROLLED = (
    Shot(f"people/{AMARA}/portrait.jpg", AMARA, (640, 800), (4, 0, 0), "smile", "window", "studio", SAND,
         Clothes("tee", MUSTARD, shoulders=2.3)),
    Shot(f"people/{AMARA}/garden.jpg", AMARA, (720, 900), (-13, 3, -4), "grin", "noon", "garden", GREEN,
         Clothes("vneck", WINE, shoulders=2.3), 0.22),
    Shot(f"people/{AMARA}/evening.jpg", AMARA, (560, 700), (11, -4, 5), "calm", "lamp", "evening", NIGHT,
         Clothes("shirt", TEAL, shoulders=2.3), 0.22, (0.47, 0.45)),
    Shot(f"people/{HUGO}/workshop.jpg", HUGO, (700, 860), (-5, 0, 2), "calm", "lamp", "brick", BRICK,
         Clothes("shirt", MOSS)),
    Shot(f"people/{HUGO}/harbour.jpg", HUGO, (900, 1100), (14, -3, -3), "smile", "golden", "seaside", SEA,
         Clothes("turtleneck", CREAM), 0.205, (0.46, 0.42)),
    Shot(f"people/{HUGO}/passport.jpg", HUGO, (480, 600), (0, 2, 0), "calm", "cloud", "studio", (206, 208, 210),
         Clothes("suit", CHARCOAL), 0.24, (0.5, 0.45)),
    Shot(f"people/{JOSE}/campo.jpg", JOSE, (720, 880), (10, 2, 3), "smile", "golden", "garden", OLIVE,
         Clothes("shirt", SKY)),
    Shot(f"people/{JOSE}/oficina.jpg", JOSE, (640, 800), (-12, -3, 0), "calm", "window", "office", (150, 158, 166),
         Clothes("suit", NAVY)),
    Shot(f"people/{JOSE}/fiesta.jpg", JOSE, (600, 720), (3, 4, -6), "grin", "lamp", "evening", NIGHT,
         Clothes("tee", RUST)),
    Shot(f"people/{LEYLA}/studio.jpg", LEYLA, (640, 820), (-4, 0, 2), "smile", "window", "studio", BLUSH,
         Clothes("tee", CREAM, shoulders=2.25)),
    Shot(f"people/{LEYLA}/office.jpg", LEYLA, (720, 900), (12, 2, -3), "calm", "cloud", "office", (164, 160, 150),
         Clothes("suit", CHARCOAL, CREAM, shoulders=2.3), 0.22),
    Shot(f"people/{LEYLA}/balcony.jpg", LEYLA, (560, 700), (-13, -3, 4), "grin", "noon", "seaside", SEA,
         Clothes("tee", WINE, shoulders=2.25), 0.22),
    Shot(f"people/{MARGARET}/garden.jpg", MARGARET, (720, 900), (7, 0, 3), "smile", "cloud", "garden", GREEN,
         Clothes("turtleneck", PLUM, shoulders=2.3), 0.22, (0.5, 0.46)),
    Shot(f"people/{MARGARET}/library.jpg", MARGARET, (640, 800), (-12, -4, -3), "calm", "lamp", "office", WALNUT,
         Clothes("shirt", CREAM, shoulders=2.3), 0.22, (0.52, 0.46)),
    Shot(f"people/{MARGARET}/birthday.jpg", MARGARET, (600, 750), (2, 3, 5), "grin", "window", "studio", ROSE,
         Clothes("vneck", SKY, shoulders=2.3), 0.22, (0.5, 0.46)),
    Shot(f"people/{SAMUEL}/staff.jpg", SAMUEL, (640, 800), (0, 0, 0), "smile", "window", "studio", GREY,
         Clothes("suit", NAVY)),
    Shot(f"people/{SAMUEL}/street.jpg", SAMUEL, (800, 1000), (-14, 2, 4), "calm", "window", "brick", BRICK,
         Clothes("tee", WHITE, NAVY, stripes=True), 0.22),
    Shot(f"people/{SAMUEL}/beach.jpg", SAMUEL, (600, 740), (12, -3, -4), "grin", "golden", "seaside", SEA,
         Clothes("shirt", MUSTARD)),
    Shot(f"people/{ZHANNA}/портрет.jpg", ZHANNA, (640, 820), (-5, 0, 0), "calm", "window", "studio", DOVE,
         Clothes("vneck", NAVY, shoulders=2.2)),
    Shot(f"people/{ZHANNA}/парк.jpg", ZHANNA, (760, 940), (13, -2, 4), "smile", "golden", "garden", GREEN,
         Clothes("tee", WHITE, RUST, stripes=True, shoulders=2.2), 0.22),
    Shot(f"people/{ZHANNA}/вечер.jpg", ZHANNA, (540, 680), (-12, 3, -5), "grin", "lamp", "evening", NIGHT,
         Clothes("shirt", ROSE, shoulders=2.2)),
    Shot(f"people/{YUI}/証明写真.png", YUI, (480, 600), (0, 0, 0), "calm", "cloud", "studio", (188, 204, 222),
         Clothes("suit", CHARCOAL, shoulders=2.2), 0.235, (0.5, 0.45)),
    Shot(f"people/{YUI}/公園.jpg", YUI, (720, 900), (-13, 2, 3), "smile", "noon", "garden", OLIVE,
         Clothes("tee", CREAM, shoulders=2.2), 0.22),
    Shot(f"people/{YUI}/海.jpg", YUI, (640, 780), (12, -3, -5), "grin", "window", "seaside", SEA,
         Clothes("vneck", TEAL, shoulders=2.2)),
)

ASKED = (
    Shot("queries/amara.jpg", AMARA, (700, 860), (-6, -2, 6), "smile", "window", "office", (150, 156, 164),
         Clothes("turtleneck", CHARCOAL, shoulders=2.3), 0.215, (0.52, 0.45)),
    Shot("queries/hugo.jpg", HUGO, (640, 800), (8, 3, 5), "smile", "window", "garden", OLIVE,
         Clothes("tee", NAVY)),
    Shot("queries/jose.jpg", JOSE, (680, 840), (-6, 0, -3), "wonder", "noon", "brick", BRICK,
         Clothes("vneck", CREAM)),
    Shot("queries/leyla.jpg", LEYLA, (640, 800), (7, -2, -5), "aside", "golden", "garden", GREEN,
         Clothes("shirt", WHITE, shoulders=2.25)),
    Shot("queries/margaret.jpg", MARGARET, (620, 780), (-5, 2, 2), "laugh", "cloud", "seaside", SEA,
         Clothes("tee", WINE, shoulders=2.3), 0.22, (0.5, 0.46)),
    Shot("queries/samuel.jpg", SAMUEL, (660, 820), (8, 3, 3), "laugh", "cloud", "garden", GREEN,
         Clothes("turtleneck", RUST)),
    Shot("queries/yui.jpg", YUI, (600, 760), (6, 3, 2), "laugh", "lamp", "office", (166, 156, 146),
         Clothes("shirt", SKY, shoulders=2.2)),
    Shot("queries/zhanna.jpg", ZHANNA, (700, 880), (6, 2, 3), "grin", "cloud", "brick", BRICK,
         Clothes("turtleneck", MOSS, shoulders=2.2)),
)

STRANGER = Shot("queries/stranger.jpg", CIARA, (680, 840), (-8, 0, 3), "smile", "window", "brick", BRICK,
                Clothes("vneck", MOSS, shoulders=2.25), 0.22, (0.5, 0.46))

ROTATED = Shot("queries/sideways.jpg", SAMUEL, (660, 880), (5, 0, 2), "smile", "window", "seaside", SEA,
               Clothes("tee", MOSS), 0.225)
# fmt: on

EMPTY_PATH, EMPTY_SIZE = "queries/lake.jpg", (1000, 720)

GROUP_PATH, GROUP_SIZE = "queries/group.jpg", (1500, 880)
# person, pose, face, clothes, (x, y between the eyes, half the face's width) as shares of the picture's width
GROUP = (
    (ZHANNA, (7, 0, 3), "smile", Clothes("tee", TEAL, shoulders=2.2), (0.125, 0.215, 0.052)),
    (JONAS, (-6, 0, -3), "calm", Clothes("shirt", SKY), (0.885, 0.185, 0.053)),
    (SAMUEL, (4, 0, -2), "grin", Clothes("shirt", CREAM), (0.325, 0.18, 0.054)),
    (YUI, (-8, 0, 2), "grin", Clothes("vneck", PLUM, shoulders=2.2), (0.695, 0.235, 0.052)),
    (AMARA, (-2, 0, 0), "grin", Clothes("tee", MUSTARD, shoulders=2.3), (0.505, 0.255, 0.075)),
)


def photograph_group() -> Photo:
    """Four people of the collection and one stranger, in a garden."""
    width = GROUP_SIZE[0]
    sitters = [
        Sitter(
            CAST[person],
            FACES[face],
            View(x * width, y * width, scale * width, *pose),
            clothes,
            _seed(person),
        )
        for person, pose, face, clothes, (x, y, scale) in GROUP
    ]
    return Photo(GROUP_SIZE, "garden", GREEN, LIGHTS["cloud"], sitters, _seed(GROUP_PATH))


PERSON_FILES = {
    f"people/{JOSE}/person.toml": """\
key = "E-1042"
notes = "Speaks Spanish and Guarani."

[attributes]
team = "Field work"
city = "Asunción"
badge = 7
""",
    f"people/{MARGARET}/person.json": """\
{
  "key": "E-0007",
  "attributes": {"team": "Library", "city": "Galway", "retired": true},
  "notes": "Comes in on Tuesdays."
}
""",
}
