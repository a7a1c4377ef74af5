"""A moderator's evening: what everyone sees, what only staff see, what a banned viewer cannot do."""

from __future__ import annotations

from tests.realtime.world import SHOW, World, new_id


async def test_hide_and_show_again(world: World) -> None:
    moderator = await world.connect(staff="moderator")
    anna, ben = await world.connect("anna"), await world.connect("ben")
    line = {"id": new_id(), "text": "buy elsewhere"}
    await anna.call("comment", line)
    await ben.event("chat", text="buy elsewhere")
    assert (await moderator.command("hide", comment=line["id"]))["ok"]
    assert "by_staff" not in await ben.event("hidden", comment=line["id"])
    assert (await moderator.event("hidden", comment=line["id"]))["by_staff"] == "moderator1"
    hide = next(event for event in moderator.events("audit") if event["do"] == "hide")
    assert hide["undoable"]
    assert (await moderator.command("undo", command=hide["id"]))["ok"]
    await ben.event("hidden", comment=line["id"], hidden=False)
    assert [event["text"] for event in ben.events("chat")] == ["buy elsewhere", "buy elsewhere"]


async def test_a_muted_viewer_watches_but_does_not_speak_or_order(world: World) -> None:
    host = await world.connect(staff="host")
    await host.go_live()
    anna = await world.connect("anna")
    await host.command("mute", viewer="anna", seconds=60)
    you = await anna.until(lambda: anna.private("you"))
    assert you[-1]["muted_until"] > 0
    for answer in (
        await anna.comment("hello"),
        await anna.comment("A01+1"),
        await anna.call("claim", {"id": new_id(), "code": "A01", "options": {}, "quantity": 1}),
    ):
        assert answer["error"]["code"] == "muted"
        assert 0 < answer["error"]["retry_after_ms"] <= 60_000
    await host.command("unmute", viewer="anna")
    await anna.until(lambda: anna.private("you")[-1]["muted_until"] == 0)
    assert (await anna.comment("A01+1"))["reason"] == "reserved"


async def test_a_ban_is_of_one_viewer_and_not_of_a_whole_phone_network(world: World) -> None:
    moderator = await world.connect(staff="moderator", address="198.51.100.1")
    anna = await world.connect("anna", address="203.0.113.7")
    neighbour = await world.connect("neighbour", address="203.0.113.7")
    assert (await moderator.call("ask", {"what": "buyer", "viewer": "anna"}))["neighbours"] == 1
    assert (await moderator.command("ban", viewer="anna"))["ok"]
    await anna.until(lambda: [you for you in anna.private("you") if you.get("banned")])
    ticket = {"id": new_id(), "reservation": "A01#1"}
    press = {"id": new_id(), "code": "A01", "options": {}, "quantity": 1}
    question = {"id": new_id(), "do": "ask_question", "text": "why?"}
    again = await world.connect("anna", address="203.0.113.8")
    assert again.snapshot["me"]["banned"]
    for event, data in (
        ("comment", {"id": new_id(), "text": "here I am", "again": True}),
        ("claim", press),
        ("cancel", ticket),
        ("name", {"name": "Anna B"}),
        ("command", question),
    ):
        assert (await again.call(event, data))["error"]["code"] == "banned", event
    assert (await again.call("tickets"))["ok"], "what was bought can be looked at"
    newcomer = await world.connect("fresh-cookie", address="203.0.113.7")
    assert not newcomer.snapshot["me"]["banned"]
    for one in (neighbour, newcomer):
        assert (await one.comment("hello"))["ok"]

    assert (await moderator.command("unban", viewer="anna"))["ok"]
    await anna.until(lambda: anna.private("you")[-1].get("banned") is False)
    assert (await anna.comment("back again"))["ok"], "without a reload"


async def test_a_banned_viewer_without_the_cookie_speaks_to_a_moderator_first(world: World) -> None:
    """A ban was one deleted cookie: the same person was a newcomer, and everybody read on. Neighbours behind the same
    address of a phone network are hardly touched: who has spoken goes on, the others watch and order."""
    await (await world.connect(staff="host", address="198.51.100.1")).go_live()
    moderator = await world.connect(staff="moderator", address="198.51.100.1")
    await world.connect("anna", address="203.0.113.7")
    neighbour = await world.connect("neighbour", address="203.0.113.7")
    assert (await neighbour.comment("I am here"))["verdict"] == "none"
    await moderator.event("chat", text="I am here")
    assert (await moderator.command("ban", viewer="anna"))["ok"]
    channel = world.gateway.channels.get(SHOW)
    await moderator.until(lambda: channel.mirror.state["addresses"])

    back = await world.connect("anna-again", address="203.0.113.7")
    assert (await back.call("name", {"name": "Anna"}))["ok"]
    assert (await back.comment("here I am"))["verdict"] == "held"
    question = await back.call("command", {"id": new_id(), "do": "ask_question", "text": "why?"})
    assert question["outcome"]["held"]
    assert (await back.comment("A01+1 @here-I-am"))["reason"] == "reserved"
    assert (await back.call("claim", {"id": new_id(), "code": "A01", "options": {}, "quantity": 1}))["ok"]
    assert (await neighbour.comment("we go on"))["verdict"] == "none"
    elsewhere = await world.connect("elsewhere", address="203.0.113.8")
    assert (await elsewhere.comment("so do I"))["verdict"] == "none"
    await neighbour.event("chat", text="so do I")
    assert {line["text"] for line in neighbour.events("chat")} == {"I am here", "we go on", "so do I"}
    assert not neighbour.events("question")

    held = await moderator.event("chat", text="here I am")
    assert (await moderator.command("unhide", comment=held["id"]))["ok"]
    await neighbour.event("chat", text="here I am")
    await back.event("chat", text="here I am")
    assert (await back.comment("thank you"))["verdict"] == "none"

    assert (await moderator.command("unban", viewer="anna"))["ok"]
    await moderator.until(lambda: not channel.mirror.state["addresses"])
    last = await world.connect("last", address="203.0.113.7")
    assert (await last.comment("a neighbour"))["verdict"] == "none"


async def test_a_banned_page_hears_of_the_end_of_the_show(world: World) -> None:
    host = await world.connect(staff="host")
    await host.go_live()
    anna = await world.connect("anna")
    assert (await host.command("ban", viewer="anna"))["ok"]
    await anna.until(lambda: anna.private("you"))
    assert (await host.command("end"))["ok"]
    await anna.event("stage", stage="ended")
    assert anna.closed is None


async def test_a_network_is_barred_for_newcomers_alone_and_until_a_moderator_says_so(world: World) -> None:
    moderator = await world.connect(staff="moderator", address="198.51.100.1")
    await world.connect("anna", address="203.0.113.7")
    neighbour = await world.connect("neighbour", address="203.0.113.7")
    await neighbour.comment("I have spoken")
    await moderator.event("chat", text="I have spoken")
    assert (await moderator.command("ban", viewer="anna", network_seconds=3600))["ok"]
    channel = world.gateway.channels.get(SHOW)
    await moderator.until(lambda: channel.mirror.state["addresses"])

    newcomer = await world.connect("fresh-cookie", address="203.0.113.7")
    assert newcomer.refused is None, "everybody may watch"
    for answer in (
        await newcomer.comment("hello"),
        await newcomer.comment("A01+1"),
        await newcomer.call("name", {"name": "Fresh"}),
        await newcomer.call("claim", {"id": new_id(), "code": "A01", "options": {}, "quantity": 1}),
        await newcomer.call("command", {"do": "ask_question", "id": new_id(), "text": "when"}),
    ):
        assert answer["error"]["code"] == "network_barred"
        assert 0 < answer["error"]["retry_after_ms"] <= 3_600_000
    elsewhere = await world.connect("other-cookie", address="203.0.113.8")
    for one in (neighbour, elsewhere):
        assert (await one.comment("still here"))["ok"]

    assert (await moderator.command("unban", viewer="anna"))["ok"]
    await moderator.until(lambda: not channel.mirror.state["addresses"])
    assert (await newcomer.comment("at last"))["ok"]


async def test_blocked_words_links_and_slow_mode(fast_world: World) -> None:
    world = fast_world
    host = await world.connect(staff="host")
    await host.go_live()
    ben = await world.connect("ben")
    await host.command("words", add=["bad", "假貨"])
    await host.command("settings", links_off=True)
    await host.event("words")
    await ben.event("settings", links_off=True)
    for number, (text, allowed) in enumerate(
        [
            ("ｂａｄ", False),
            ("BAD!", False),
            ("b a d", False),
            ("b-a-d shop", False),
            ("b\u200ba\u200bd", False),
            ("這是假 貨", False),
            ("badge", True),
            ("not that good", True),
            ("go to https://evil.example now", False),
            ("www.evil.example", False),
            ("evil.com/x", False),
            ("1.5 kg", True),
        ]
    ):
        viewer = await world.connect(f"viewer-{number}")
        answer = await viewer.comment(text)
        assert answer["ok"] is allowed, text
        if not allowed:
            assert answer["error"]["code"] == "comment_refused"
    assert all("bad" not in event["text"].lower().split() for event in ben.events("chat"))

    await host.command("settings", slow_seconds=30)
    await ben.event("settings", slow_seconds=30)
    slow = await world.connect("slow")
    assert (await slow.comment("one"))["ok"]
    answer = await slow.comment("two")
    assert answer["error"]["code"] == "slow_mode"
    assert 20_000 < answer["error"]["retry_after_ms"] <= 30_000


async def test_an_order_with_a_blocked_word_counts_but_is_not_shown(fast_world: World) -> None:
    host = await fast_world.connect(staff="host")
    await host.go_live()
    await host.command("words", add=["謝謝"])
    await host.event("words")
    ben, anna = await fast_world.connect("ben"), await fast_world.connect("anna")
    assert (await anna.comment("A01+1 謝謝"))["reason"] == "reserved"
    assert (await ben.event("claim"))["code"] == "A01"
    assert ben.events("chat") == []
    assert (await anna.until(lambda: anna.private("chat")))[0]["text"] == "A01+1 謝謝"
    assert (await host.event("chat"))["shadow"]


async def test_first_comments_wait_for_a_moderator(world: World) -> None:
    moderator = await world.connect(staff="moderator")
    await moderator.command("settings", first_hold=True)
    anna, ben = await world.connect("anna"), await world.connect("ben")
    await moderator.event("settings")
    line = {"id": new_id(), "text": "my first"}
    assert (await anna.call("comment", line))["verdict"] == "held"
    waiting = await moderator.event("triage", comment=line["id"])
    assert waiting["text"] == "my first"
    assert ben.events("chat") == []
    assert (await moderator.command("unhide", comment=line["id"]))["ok"]
    await ben.event("chat", text="my first")
    await moderator.event("triage_done", comment=line["id"])
    assert (await anna.comment("my second"))["verdict"] != "held"


async def test_a_shadowed_viewer_talks_to_the_wall(world: World) -> None:
    moderator = await world.connect(staff="moderator")
    anna, ben = await world.connect("anna"), await world.connect("ben")
    await moderator.command("shadow", viewer="anna")
    await moderator.event("buyer", shadow=True)
    await anna.comment("can you hear me")
    assert (await anna.until(lambda: anna.private("chat")))[0]["text"] == "can you hear me"
    await ben.comment("hello")
    await ben.event("chat", text="hello")
    assert [event["text"] for event in ben.events("chat")] == ["hello"]
    assert all("shadow" not in event for event in anna.private("you"))


async def test_orders_of_a_shadowed_viewer_count_and_are_not_announced(fast_world: World) -> None:
    host = await fast_world.connect(staff="host")
    await host.go_live()
    anna, ben = await fast_world.connect("anna"), await fast_world.connect("ben")
    await host.command("shadow", viewer="anna")
    await host.event("buyer", shadow=True)
    assert (await anna.comment("A01+2"))["reason"] == "reserved"
    await ben.event("stock")
    await ben.until(lambda: any(event["items"].get("A01", [0, 0])[1] == 2 for event in ben.events("stock")))
    assert ben.events("claim") == ben.events("chat") == []
    assert (await host.event("claim", code="A01"))["viewer"] == "anna"


async def test_what_was_not_understood_is_accepted_with_one_command(world: World) -> None:
    host = await world.connect(staff="host")
    await host.go_live()
    anna = await world.connect("anna")
    line = {"id": new_id(), "text": "A99+1"}
    answer = await anna.call("comment", line)
    assert (answer["verdict"], answer["lines"]) == ("unclear", [])
    waiting = await host.event("triage", comment=line["id"])
    assert waiting["viewer"] == "anna"
    accepted = await host.command(
        "accept", comment=line["id"], lines=[{"code": "A02", "options": ["紅色", "M"], "quantity": 2}]
    )
    assert accepted["outcome"]["outcome"] == "reserved"
    ticket = await anna.until(lambda: anna.private("ticket"))
    assert (ticket[0]["sku"], ticket[0]["quantity"], ticket[0]["comment"]) == ("A02/紅色/M", 2, line["id"])
    other = await host.command("accept", comment=line["id"], lines=[{"code": "A01"}])
    assert other["error"]["code"] == "not_found", "the line has left the queue"


async def test_restricted_buyers_hold_no_more_than_allowed(world: World) -> None:
    host = await world.connect(staff="host")
    await host.go_live()
    anna = await world.connect("anna")
    await host.command("restrict", viewer="anna", hold_max=1)
    await host.event("buyer", restricted=True)
    assert (await anna.comment("A01+2"))["reason"] == "over_limit"
    assert (await anna.comment("A01+1"))["reason"] == "reserved"
    assert (await anna.comment("B01+1"))["reason"] == "over_limit"


async def test_nothing_private_reaches_the_audience(world: World) -> None:
    """Every public event and snapshot, searched for what only staff may know."""
    host = await world.connect(staff="host")
    await host.go_live()
    anna = await world.connect("private-viewer-id", name="Anna", address="203.0.113.9")
    ben = await world.connect("ben")
    await anna.comment("A01+1")
    await anna.comment("A99+1")
    await host.command("mute", viewer="private-viewer-id", seconds=5)
    await host.command("ban", viewer="private-viewer-id")
    await host.until(lambda: any(event["banned"] for event in host.events("buyer")))
    await host.command("say", text="done")
    await ben.event("chat", text="done")
    clara = await world.connect("clara")
    heard = repr(ben.heard) + repr(clara.heard)
    for secret in ("private-viewer-id", "203.0.113", "host1", "moderator1", "inverse", "salt"):
        assert secret not in heard.replace("'name': 'host1'", ""), secret
    assert "Anna" in heard
