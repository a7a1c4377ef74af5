"""A chat bot: says hello, then answers each viewer's comment that has a keyword, as the shop.

LIVECOMMERCE_PASSWORD=… .venv/bin/python examples/chat_bot/bot.py http://127.0.0.1:8080 demo moderator 運費=滿千免運
"""

import asyncio
import os
import sys
import uuid
from typing import Any

import aiohttp
import socketio


async def main(server: str, show: str, login: str, *rules: str) -> None:
    answers = dict(rule.split("=", 1) for rule in rules)
    jar = aiohttp.CookieJar(unsafe=True)  # keeps cookies of addresses too, such as 127.0.0.1
    async with aiohttp.ClientSession(server, headers={"Origin": server}, cookie_jar=jar) as web:
        body = {"login": login, "password": os.environ["LIVECOMMERCE_PASSWORD"]}
        async with web.post("/api/login", json=body, raise_for_status=True):
            pass  # the session's cookie now says who we are
        bot = socketio.AsyncClient(http_session=web)  # comes back by itself when the line is cut

        async def say(text: str) -> None:
            told = await bot.call("command", {"id": str(uuid.uuid4()), "do": "say", "text": text, "name": "小幫手"})
            if not told["ok"]:
                print(told["error"]["reason"], file=sys.stderr)

        @bot.on("frame")
        async def on_frame(frame: dict[str, Any]) -> None:
            for event in frame["ev"]:
                if event["t"] == "chat" and event["kind"] == "viewer":  # never the shop's own lines, or it would loop
                    for keyword, answer in answers.items():
                        if keyword in event["text"]:
                            await say(f"@{event['name']} {answer}")

        await bot.connect(
            server, auth={"show": show, "as": "staff"}, transports=["websocket"], headers={"Origin": server}
        )
        await say("大家好！")
        await bot.wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
