"""What one can say of a face in words and numbers.

Lengths are in half-widths of an average face: the face reaches from -1 to 1 across, the eyes lie at height 0,
the chin near 1.5 and the crown near -1.5. Colours are sRGB, 0..255, as one picks them from a screen.
"""

from __future__ import annotations

from dataclasses import dataclass

from portraits.fields import Colour


@dataclass(frozen=True)
class Features:
    """What a person keeps from one photo to the next."""

    # skin
    skin: Colour = (224, 178, 150)
    blush: float = 0.5
    freckles: float = 0.0
    age: float = 0.25  # 0 a child's smooth skin, 1 deep lines

    # the skull
    width: float = 1.0
    taper: float = 0.3  # how much narrower the jaw is than the cheekbones
    squareness: float = 3.0  # of the jaw: 2 an egg, 4 a box
    chin: float = 1.42  # height of the chin under the eyes
    chin_size: float = 0.08
    cheekbone: float = 0.05
    cheek: float = 0.0  # above 0 full, below 0 hollow
    forehead: float = 0.05
    brow_ridge: float = 0.04

    # eyes and brows
    eye_gap: float = 0.42  # from the nose's middle to a pupil
    eye_size: float = 0.225  # half the length of the slit
    eye_open: float = 0.68
    eye_tilt: float = 4.0  # degrees, outer corner up
    eye_depth: float = 0.1
    lid_fold: float = 1.0  # 0 for a lid without a crease
    iris: Colour = (96, 70, 48)
    lashes: float = 0.4
    brow_height: float = 0.3
    brow_thickness: float = 0.05
    brow_tilt: float = 5.0
    brow_arch: float = 0.06
    brow_colour: Colour = (70, 50, 38)

    # nose and mouth
    nose_length: float = 0.6
    nose_width: float = 0.19
    nose_bridge: float = 0.12
    nose_bridge_width: float = 0.1
    nose_tip: float = 0.2
    nose_hump: float = 0.0
    mouth_height: float = 0.92
    mouth_width: float = 0.34
    lip_upper: float = 0.075
    lip_lower: float = 0.095
    lip_colour: Colour = (188, 110, 102)

    # hair, beard and what is always worn
    hair: str = "short"
    hair_colour: Colour = (70, 50, 38)
    hair_grey: float = 0.0
    hair_wave: float = 0.1
    hairline: float = 0.98
    parting: float = 0.3
    beard: str = "none"
    beard_colour: Colour = (70, 50, 38)
    beard_grey: float = 0.0
    glasses: str = "none"
    glasses_colour: Colour = (40, 34, 34)
    headscarf: Colour | None = None


@dataclass(frozen=True)
class Expression:
    """What changes from one photo to the next."""

    smile: float = 0.3  # 0 earnest, 1 broad
    teeth: float = 0.0  # how far the lips part
    eyes: float = 1.0  # how wide the eyes are open, against the person's own
    gaze: tuple[float, float] = (0.0, 0.0)  # of the pupils, in eye lengths
    brows: float = 0.0  # raised
