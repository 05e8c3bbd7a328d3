"""Colours of pills and of the brand: readable shades for light and dark, written as `/theme.css`.

Contrast follows WCAG 2.2, success criterion 1.4.3: 4.5 to 1 for text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from gigacore.entity import Registry

Rgb = tuple[float, float, float]

NAMED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "grey": "#8a8f98", "gray": "#8a8f98", "secondary": "#8a8f98", "primary": "#4c5fd7",
        "slate": "#64748b", "blue": "#3b7ddd", "azure": "#2f9fe0", "sky": "#2f9fe0",
        "indigo": "#5b63e0", "purple": "#9a54d6", "violet": "#7c5cdb", "pink": "#dd4f93", "red": "#d9444b",
        "orange": "#ec7a2d", "amber": "#e0a008", "yellow": "#e0b400", "lime": "#7cb518", "green": "#2fa35b",
        "teal": "#14a08c", "cyan": "#1299b8", "brown": "#9a6b4a", "black": "#3b3e46", "white": "#c9ccd3",
    }
)  # fmt: skip
FALLBACK: Final = "#8a8f98"
AA: Final = 4.5
LIGHT: Final[tuple[Rgb, Rgb]] = ((255, 255, 255), (24, 26, 32))
DARK: Final[tuple[Rgb, Rgb]] = ((28, 29, 33), (255, 255, 255))
_HEX: Final = re.compile(r"^#[0-9a-fA-F]{6}$")


def hex_of(colour: str) -> str:
    """`colour` (a name of the palette or `#rrggbb`) as `#rrggbb`."""
    if _HEX.match(colour):
        return colour.lower()
    return NAMED.get(colour.lower(), FALLBACK)


def pill_class(colour: str) -> str:
    """The class that paints a pill in `colour`."""
    return f"k-{hex_of(colour)[1:]}"


def rgb(colour: str) -> Rgb:
    """The three channels of `#rrggbb`."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def css(colour: Rgb) -> str:
    """`#rrggbb` of three channels."""
    return "#" + "".join(f"{round(channel):02x}" for channel in colour)


def mix(one: Rgb, other: Rgb, share: float) -> Rgb:
    """`share` of `one`, the rest of `other`."""
    a, b, c = (x * share + y * (1 - share) for x, y in zip(one, other, strict=True))
    return a, b, c


def luminance(colour: Rgb) -> float:
    """Relative luminance after WCAG."""
    red, green, blue = (_linear(channel / 255) for channel in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)


def contrast(one: Rgb, other: Rgb) -> float:
    """The contrast ratio of two colours, from 1 to 21."""
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def readable(colour: Rgb, ground: Rgb, towards: Rgb) -> Rgb:
    """`colour`, moved towards black or white until text in it is readable on `ground`."""
    for step in range(10, -1, -1):
        shade = mix(colour, towards, step / 10)
        if contrast(shade, ground) >= AA + 0.2:
            return shade
    return towards


def pill_rules(colours: Iterable[str]) -> str:
    """The CSS classes of these colours (`#rrggbb`) for both themes."""
    found = sorted(set(colours))
    light = "".join(f".k-{c[1:]}{{{_shades(rgb(c), *LIGHT, 0.13)}}}\n" for c in found)
    dark = "".join(f"[data-bs-theme=dark] .k-{c[1:]}{{{_shades(rgb(c), *DARK, 0.2)}}}\n" for c in found)
    return light + dark


def _shades(colour: Rgb, ground: Rgb, towards: Rgb, tint: float) -> str:
    back = mix(colour, ground, tint)
    return f"--p-bg:{css(back)};--p-fg:{css(readable(colour, back, towards))};--p-dot:{css(colour)}"


def brand_rules(accent: str) -> str:
    """The accent of the interface, if branding chose one; nothing otherwise."""
    shades = brand_shades(accent)
    rules = {theme: ";".join(f"--g-{name}:{value}" for name, value in found.items()) for theme, found in shades.items()}
    if not rules:
        return ""
    light = ":root,[data-bs-theme=light]"
    return f"{light}{{{rules['light']}}}\n[data-bs-theme=dark]{{{rules['dark']}}}\n"


def brand_shades(accent: str) -> dict[str, dict[str, str]]:
    """The shades of an accent by theme and by what they paint; none for what is no colour."""
    if not _HEX.match(accent):
        return {}
    base = rgb(accent)
    return {
        "light": _accent(readable(base, LIGHT[0], LIGHT[1]), base, (255, 255, 255)),
        "dark": _accent(readable(base, DARK[0], DARK[1]), mix(base, DARK[1], 0.8), (16, 18, 28)),
    }


def _accent(text: Rgb, fill: Rgb, on: Rgb) -> dict[str, str]:
    other = (16.0, 18.0, 28.0) if on[0] > 128 else (255.0, 255.0, 255.0)
    letters = on if contrast(on, fill) >= AA else max(on, other, key=_against(fill))
    strong = mix(fill, (0, 0, 0), 0.88)
    shades = {"accent": fill, "accent-strong": strong, "accent-text": text, "on-accent": letters}
    return {name: css(shade) for name, shade in shades.items()}


def _against(ground: Rgb) -> Callable[[Rgb], float]:
    return lambda colour: contrast(colour, ground)


def stylesheet(registry: Registry, accent: str = "") -> str:
    """The whole of `/theme.css`: the brand, and a class for each colour that a choice list uses."""
    used = {hex_of(choice.colour) for entry in registry.choice_lists.values() for choice in entry.choices}
    return brand_rules(accent) + pill_rules(used | {hex_of(name) for name in NAMED})
