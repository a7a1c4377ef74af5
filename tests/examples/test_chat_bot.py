"""The bot says hello and answers a keyword, once, in everyone's chat."""

from __future__ import annotations

from tests.browser.live_server import LiveServer
from tests.examples.conftest import Run
from tests.examples.visitor import visiting
from tests.tidy.sources import ROOT

MUG = {"code": "B02", "names": ["馬克杯"], "price_minor": 250, "supply": {"B02": 5}}


async def test_it_says_hello_and_answers_a_keyword(server: LiveServer, run: Run) -> None:
    server.make_show("bot", [MUG])
    server.command("bot", "start")
    async with visiting(server.address, "bot") as viewer:
        words = (server.address, "bot", "moderator", "運費=滿千免運")
        with run("chat_bot/bot.py", *words, password=server.passwords["moderator"]):
            hello = await viewer.heard(lambda event: event["t"] == "chat" and event["text"] == "大家好！")
            assert (hello["kind"], hello["name"]) == ("moderator", "小幫手")
            assert (await viewer.comment("請問運費多少"))["ok"]
            answer = await viewer.heard(lambda event: event["t"] == "chat" and "滿千免運" in event["text"])
            assert (answer["kind"], answer["text"][0]) == ("moderator", "@")


def test_it_stays_as_short_as_the_readme_says() -> None:
    lines = (ROOT / "examples/chat_bot/bot.py").read_text("utf-8").splitlines()
    assert len([line for line in lines if line.strip()]) <= 40
