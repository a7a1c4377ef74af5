"""The end of a streamed snapshot is found wherever the network cuts it."""

from __future__ import annotations

import io
from typing import cast

import pytest

from livecommerce.backup.snapshot import MARK_LENGTH, _Stream, _until_mark

MARK = bytes(range(65, 65 + MARK_LENGTH))
BODY = b"snapshot " * 20


class Cut:
    """What is sent, in two pieces; a reader that looks beyond them has missed the end."""

    def __init__(self, sent: bytes, at: int) -> None:
        self._pieces = [piece for piece in (sent[:at], sent[at:]) if piece]

    def chunk(self) -> bytes:
        assert self._pieces, "the end mark was overlooked"
        return self._pieces.pop(0)


@pytest.mark.parametrize("at", range(len(BODY) - 1, len(BODY) + MARK_LENGTH + 1))
def test_the_end_mark_is_found_when_two_reads_cut_it(at: int) -> None:
    file = io.BytesIO()
    assert _until_mark(cast("_Stream", Cut(BODY + MARK, at)), file, MARK) == len(BODY)
    assert file.getvalue() == BODY
