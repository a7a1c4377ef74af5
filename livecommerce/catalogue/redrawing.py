"""A picture from outside drawn anew: `python -m livecommerce.catalogue.redrawing <edge> <format>`, body in, body out.

A process of its own, so that a decoder that hangs, eats memory or breaks takes nothing else along. What comes out has
at most `edge` pixels a side, stands upright, is sRGB, and carries no metadata: no place, no camera, no thumbnail. Of an
animation it is the first frame.

Exit codes: 0, `UNREADABLE` (no picture, or a part of one), `TOO_MANY_PIXELS`.
"""

from __future__ import annotations

import contextlib
import io
import resource
import sys

from PIL import Image, ImageCms, ImageOps
from pillow_heif import register_heif_opener

PIXELS_MAX = 50_000_000  # the 48 megapixels of a phone; decoded 200 MB
MEMORY_BYTES_MAX = 2_000_000_000  # of address space: the picture three times over, and the libraries
CPU_SECONDS_MAX = 15
UNREADABLE, TOO_MANY_PIXELS = 3, 4
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "HEIF")
QUALITY = 82  # of WebP and JPEG: no difference seen at the size of a card
_SIXTEEN_BITS = ("I;16", "I;16L", "I;16B", "I;16N")


class TooManyPixels(Exception):
    pass


def redrawn(body: bytes, edge: int, form: str) -> bytes:
    """
    Raises:
        TooManyPixels; OSError, SyntaxError, ValueError, EOFError and what else decoders raise of a broken file.
    """
    with Image.open(io.BytesIO(body), formats=FORMATS) as opened:
        if opened.width * opened.height > PIXELS_MAX:
            raise TooManyPixels
        opened.draft("RGB", (edge, edge))  # JPEG alone: decoded at half, a quarter or an eighth
        opened.load()
        profile = opened.info.get("icc_profile")
        upright = ImageOps.exif_transpose(opened)
        plain = _in_srgb(_eight_bits(upright), profile)
    plain.thumbnail((edge, edge), Image.Resampling.LANCZOS)
    if form == "JPEG":
        plain = plain.convert("RGB")
    fresh = Image.frombytes(plain.mode, plain.size, plain.tobytes())  # nothing but pixels comes along
    out = io.BytesIO()
    fresh.save(out, form, **({} if form == "PNG" else {"quality": QUALITY}))
    return out.getvalue()


def _eight_bits(picture: Image.Image) -> Image.Image:
    """RGB or RGBA, whatever it was."""
    if picture.mode in _SIXTEEN_BITS:
        picture = picture.point(lambda level: level / 256).convert("L")
    if picture.mode == "CMYK":
        return picture
    has_alpha = "A" in picture.getbands() or "transparency" in picture.info
    return picture.convert("RGBA" if has_alpha else "RGB")


def _in_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Phones photograph in Display P3; a page that is not told so shows it pale."""
    if profile:
        with contextlib.suppress(ImageCms.PyCMSError, OSError):
            own, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
            mode = "RGB" if picture.mode == "CMYK" else picture.mode
            changed = ImageCms.profileToProfile(picture, own, srgb, outputMode=mode)
            picture = changed if changed is not None else picture
    return picture.convert("RGB") if picture.mode == "CMYK" else picture


def main(edge: str, form: str) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS_MAX, CPU_SECONDS_MAX))
    Image.MAX_IMAGE_PIXELS = PIXELS_MAX
    register_heif_opener()
    try:
        body = redrawn(sys.stdin.buffer.read(), int(edge), form)
    except (TooManyPixels, Image.DecompressionBombError, Image.DecompressionBombWarning):
        return TOO_MANY_PIXELS
    except Exception:  # whatever a decoder stumbles over, the file is no picture we can show
        return UNREADABLE
    sys.stdout.buffer.write(body)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
