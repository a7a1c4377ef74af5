"""WHEP's layer extension (draft-murillo-whep): what a player may say about the layer it wants. Pure.

`{"mediaId", "encodingId"}` names a layer, `{"maxHeight"}` (ours) the lines that the page shows, 0 for none.
Both are the most the viewer gets; without either the choice is the relay's alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from livecommerce.errors import BadInput

LAYER_RELATION = "urn:ietf:params:whep:ext:core:layer"
# What a player says fits in 100 bytes.
WISH_BYTES_MAX = 1_000


class LayerWish(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """One POST to a session's layer address."""

    media_id: Annotated[str, msgspec.Meta(max_length=64)] = ""
    encoding_id: Annotated[str, msgspec.Meta(max_length=16)] = ""
    max_height: Annotated[int, msgspec.Meta(ge=0, le=16_384)] | None = None


def parse_wish(body: bytes) -> LayerWish:
    """
    Raises:
        BadInput: with the field that is wrong.
    """
    if len(body) > WISH_BYTES_MAX:
        raise BadInput("A choice of layer has at most 1,000 bytes.")
    try:
        return msgspec.json.decode(body, type=LayerWish)
    except msgspec.ValidationError as error:
        raise BadInput(f"The choice of layer is not of the expected form: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput("The choice of layer is not JSON.") from error


def check_wish(wish: LayerWish, video_mid: str, names: Sequence[str]) -> None:
    """
    Raises:
        BadInput: for media or a layer that this session does not have.
    """
    if wish.media_id and wish.media_id != video_mid:
        raise BadInput(f"The picture's mediaId is {video_mid or 'not given'}.")
    if wish.encoding_id and wish.encoding_id not in names:
        raise BadInput(f"The stream's layers are {', '.join(names) or 'one, without a name'}.")
