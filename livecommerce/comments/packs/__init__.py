"""Grammar packs: the words of one language, as data. One file a pack; the grammar itself is shared by all."""

from __future__ import annotations

from typing import Final

from livecommerce.comments.errors import PackUnknown
from livecommerce.comments.packs import common, en, fil, ko, th, vi, zh_cn, zh_tw
from livecommerce.comments.packs.pack import Pack

PACKS: Final[dict[str, Pack]] = {
    pack.name: pack for pack in (zh_tw.PACK, zh_cn.PACK, en.PACK, th.PACK, fil.PACK, vi.PACK, ko.PACK)
}
COMMON: Final[Pack] = common.PACK


def chosen(names: tuple[str, ...]) -> list[Pack]:
    """The packs of these names, in the given order, the common one first. Raises PackUnknown."""
    missing = [name for name in names if name not in PACKS]
    if missing:
        raise PackUnknown(f"There is no grammar pack {missing[0]!r}. The packs are {', '.join(PACKS)}.")
    return [COMMON, *(PACKS[name] for name in names)]


__all__ = ["COMMON", "PACKS", "Pack", "chosen"]
