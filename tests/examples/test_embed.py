"""The card leads to the show and escapes what people typed; the watch page still refuses a frame, as it says."""

from __future__ import annotations

import re
import urllib.request
from html.parser import HTMLParser

from tests.browser.live_server import LiveServer
from tests.examples.conftest import Run

CUP = {"code": "D04", "names": ["<b>杯子</b> & 盤子"], "price_minor": 1250, "supply": {"D04": 5}}


class Card(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str | None] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag == "a":
            self.links.append(dict(attributes)["href"])

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_card_leads_to_the_show(server: LiveServer, run: Run) -> None:
    server.make_show("card", [CUP], title='週三 <script>alert("x")</script>')
    server.command("card", "start")
    with run("embed/card.py", server.address, "card") as process:
        printed, complaint = process.communicate(timeout=30)
    assert process.returncode == 0, complaint
    card = Card(printed)
    assert card.links == [f"{server.address}/live/card"]
    assert set(card.tags) <= {"a", "span", "small", "br", "strong", "img"}
    said = re.sub(r"\s+", " ", card.text)
    assert "直播中" in said
    assert '週三 <script>alert("x")</script>' in said
    assert "<b>杯子</b> & 盤子 TWD 1,250" in said


def test_the_watch_page_refuses_a_frame(server: LiveServer) -> None:
    server.make_show("framed", [CUP])
    with urllib.request.urlopen(f"{server.address}/live/framed", timeout=15) as answer:
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
