"""Writes a card that leads to a show, as HTML to paste into another site: title, stage, first product with its picture.

    .venv/bin/python examples/embed/card.py http://127.0.0.1:8080 demo > card.html

Why not a frame: see the README beside it. Needs nothing but Python.
"""

import html
import json
import sys
import urllib.request
from typing import Any
from urllib.parse import urljoin

CARD = """<a class="live-card" href="{link}" target="_blank" rel="noopener"
   style="display:flex;gap:12px;max-width:360px;padding:12px;border:1px solid #ccc;border-radius:8px;
          color:inherit;text-decoration:none;font:16px/1.4 sans-serif">
  {picture}<span><small>{shop} · {stage}</small><br><strong>{title}</strong><br>{product}</span>
</a>"""
STAGES = {"live": "直播中", "ended": "已結束"}


def card(server: str, snapshot: dict[str, Any]) -> str:
    """The card of a show. What people typed is escaped: it lands in somebody else's page."""
    show, items = snapshot["show"], snapshot["items"]
    pinned = (snapshot["pin"] or {}).get("code")
    first = next((item for item in items if item["code"] == pinned), items[0] if items else None)
    shown = {
        "link": urljoin(server, f"/live/{show['id']}"),
        "shop": show["shop_name"],
        "title": show["title"],
        "stage": STAGES.get(show["stage"], "即將開播"),
        "product": f"{first['name']} {first['currency']} {first['price_minor']:,}" if first else "",
    }
    escaped = {name: html.escape(text) for name, text in shown.items()}
    address = urljoin(server, first["picture"]) if first and first["picture"] else ""
    picture = f'<img src="{html.escape(address)}" alt="" width="72" height="72">' if address else ""
    return CARD.format(**escaped, picture=picture)


if __name__ == "__main__":
    _, server, show = sys.argv
    with urllib.request.urlopen(f"{server}/api/shows/{show}/snapshot", timeout=15) as answer:
        print(card(server, json.load(answer)))
