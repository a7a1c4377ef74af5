"""Asks for the orders of a show again and again and prints each payment that has come, one JSON line each.

    LIVECOMMERCE_PASSWORD=… .venv/bin/python examples/paid_orders/poll.py \\
        http://127.0.0.1:8080 demo owner --seen seen.txt

It polls because the server does not call out to other systems. `--seen` keeps the ids that were printed, so that a
restart prints none twice. Needs nothing but Python.
"""

import argparse
import http.cookiejar
import json
import os
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Shop:
    """The shop's API behind a login; logs in again when the session has ended (after 12 hours)."""

    def __init__(self, server: str, login: str, password: str) -> None:
        self.server, self.login, self.password = server, login, password
        self.open = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
        ).open

    def ask(self, path: str, body: Any = None) -> dict[str, Any]:
        headers = {"Content-Type": "application/json", "Origin": self.server}
        data = None if body is None else json.dumps(body).encode()
        with self.open(urllib.request.Request(self.server + path, data, headers), timeout=15) as answer:
            return dict(json.load(answer))

    def get(self, path: str) -> dict[str, Any]:
        try:
            return self.ask(path)
        except urllib.error.HTTPError as error:
            if error.code != 401:
                raise
        self.ask("/api/login", {"login": self.login, "password": self.password})
        return self.ask(path)

    def paid(self, show: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """(order, payment) of all money received in the show, oldest order first."""
        after: int | None = 0
        while after is not None:
            page = self.get(f"/api/shows/{show}/orders?after={after}")
            for order in page["orders"]:
                yield from ((order, payment) for payment in order["payments"] if payment["state"] == "paid")
            after = page["next"]


def main() -> None:
    parser = argparse.ArgumentParser(description="Prints new paid orders of a show.")
    parser.add_argument("server")
    parser.add_argument("show")
    parser.add_argument("login")
    parser.add_argument("--seen", type=Path, help="file of the payments that were printed")
    parser.add_argument("--seconds", type=float, default=5.0, help="between two looks")
    given = parser.parse_args()
    shop = Shop(given.server, given.login, os.environ["LIVECOMMERCE_PASSWORD"])
    seen = set(given.seen.read_text("utf-8").split()) if given.seen and given.seen.exists() else set()
    while True:
        for order, payment in shop.paid(given.show):
            if payment["id"] in seen:
                continue
            told = {"order": order["id"], "number": order["number"], "name": order["name"], "payment": payment["id"]}
            print(
                json.dumps({**told, "paid_minor": payment["amount_minor"], "currency": payment["currency"]}), flush=True
            )
            seen.add(payment["id"])
            if given.seen:  # after it was printed: a crash in between prints it twice rather than never
                with given.seen.open("a", encoding="utf-8") as file:
                    file.write(payment["id"] + "\n")
        time.sleep(given.seconds)


if __name__ == "__main__":
    main()
