"""Pictures in fields: checked before they are decoded, turned upright, made smaller, and written anew without metadata.

What the sender's file holds besides pixels (position, camera, thumbnails, colour profiles, anything appended) is gone.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, BinaryIO, Final

from gigacore.errors import Invalid, TooLarge
from gigacore.messages import msg

if TYPE_CHECKING:
    from PIL.Image import Image

LIMIT: Final = 1024 * 1024
MOST_PIXELS: Final = 25_000_000
"""What is decoded at most: 25 million pixels take 100 MB for a moment; a phone's camera has about 12 million."""
FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF")
QUALITY: Final = 85


def prepared(stream: BinaryIO, name: str, largest: tuple[int, int]) -> tuple[BinaryIO, str]:
    """The picture as it is kept, with its name: within `largest` pixels, only a larger one is made smaller.

    Raises TooLarge above 1 MB, Invalid for what is no picture, is damaged or has too many pixels.
    """
    raw = stream.read(LIMIT + 1)
    if len(raw) > LIMIT:
        raise TooLarge(msg("This picture is larger than {most} MB.", most=LIMIT >> 20), fix=_SMALLER)
    picture = _decoded(raw, largest)
    picture.thumbnail(largest)
    return _written(picture, name)


_SMALLER: Final = msg("Save it smaller or with more compression, then choose it again.")


def _decoded(raw: bytes, largest: tuple[int, int]) -> Image:
    from PIL import Image, ImageOps

    try:
        picture = Image.open(io.BytesIO(raw), formats=FORMATS)
        width, height = picture.size
        if width * height > MOST_PIXELS:
            raise _too_many(width, height)
        picture.draft("RGB", (2 * largest[0], 2 * largest[1]))
        return ImageOps.exif_transpose(picture)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise _too_many() from None
    except (OSError, ValueError, SyntaxError, EOFError):  # what Pillow raises for damaged files
        raise Invalid(
            msg("This is not a picture that can be read."), fix=msg("Choose a JPEG, PNG, WebP or GIF picture.")
        ) from None


def _too_many(width: int = 0, height: int = 0) -> Invalid:
    most = MOST_PIXELS // 1_000_000
    text = (
        msg("This picture has {width} × {height} pixels.", width=width, height=height)
        if width
        else msg("This picture has too many pixels.")
    )
    return Invalid(text, fix=msg("Choose one of at most {most} million pixels.", most=most))


def _written(picture: Image, name: str) -> tuple[BinaryIO, str]:
    """Encoded anew, from nothing but the pixels."""
    from PIL import Image

    see_through = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    pixels = picture.convert("RGBA" if see_through else "RGB")
    clean = Image.new(pixels.mode, pixels.size)
    clean.paste(pixels)
    kept = io.BytesIO()
    clean.save(kept, "PNG" if see_through else "JPEG", quality=QUALITY, optimize=True)
    kept.seek(0)
    return kept, f"{name.rpartition('.')[0] or name or 'picture'}.{'png' if see_through else 'jpg'}"
