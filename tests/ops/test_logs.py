"""What strangers send into the log stays text: no colours, no cursor, no line of its own, no direction turned."""

from __future__ import annotations

import io
import logging

import pytest
import structlog

from livecommerce.ops.logs import configure

ODD = "a\x1b[2Jb\u202ec\nd\u2066e\x9bf\u2028g\u200fh\x00i\rj\x7f"
RAW = "\x1b\u202e\u2066\x9b\u2028\u200f\x00\r\x7f"


@pytest.fixture(params=["console", "json"])
def out(request: pytest.FixtureRequest) -> io.StringIO:
    stream = io.StringIO()
    configure("web-0", request.param, "debug", stream)
    return stream


def test_no_field_of_any_entry_reaches_the_terminal_raw(out: io.StringIO) -> None:
    log = structlog.stdlib.get_logger("livecommerce.test")
    log.info(ODD, path=ODD, many=[ODD], some={"x": ODD}, error=ValueError(ODD), **{ODD: 1})
    logging.getLogger("aiohttp.server").warning("library says %s", ODD, extra={"path": ODD})
    text = out.getvalue()
    assert not set(RAW) & set(text)
    assert text.count("\n") == 2, "an entry is a line"
    assert "u202e" in text


def test_a_traceback_keeps_its_lines_and_escapes_the_rest(out: io.StringIO) -> None:
    try:
        raise ValueError(ODD)
    except ValueError:
        logging.getLogger("some.library").exception("failed")
    text = out.getvalue()
    assert not set(RAW) & set(text)
    assert "Traceback (most recent call last)" in text
