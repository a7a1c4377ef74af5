"""What viewers do beside comments and claims: limited, moderated and answered as a comment is, on both paths."""

from __future__ import annotations

from tests.realtime.world import World, new_id


async def test_a_question_is_asked_voted_for_and_answered(world: World) -> None:
    host = await world.connect(staff="host")
    await host.go_live()
    anna, ben = await world.connect("anna"), await world.connect("ben")
    asked = await anna.call("command", {"id": "question-1", "do": "ask_question", "text": " 有大號嗎 "})
    assert asked == {"ok": True, "outcome": {"question": "question-1", "held": False}}
    shown = await ben.event("question", id="question-1")
    assert (shown["text"], shown["votes"], shown["answered"]) == ("有大號嗎", 0, None)
    assert "viewer" not in shown
    assert (await ben.command("vote_question", question="question-1"))["ok"]
    await anna.event("votes", question="question-1", votes=1)
    await ben.until(lambda: ben.private("voted"))
    assert (await host.command("answer_question", question="question-1"))["ok"]
    answered = await ben.until(lambda: [event for event in ben.events("question") if event["answered"]])
    assert answered[0]["votes"] == 1
    again = await world.connect("ben")
    assert again.snapshot["me"]["voted"] == ["question-1"]
    assert again.snapshot["questions"][0]["answered"] == answered[0]["answered"]


async def test_the_same_id_asks_once_and_belongs_to_one_viewer(fast_world: World) -> None:
    anna, ben = await fast_world.connect("anna"), await fast_world.connect("ben")
    question = {"id": "question-1", "do": "ask_question", "text": "one"}
    first = await anna.call("command", question)
    assert await anna.call("command", {**question, "again": True}) == first
    assert await anna.call("command", question) == first, "the answer went missing and the page forgot that"
    assert (await ben.call("command", {**question, "again": True}))["error"]["code"] == "id_reused"
    assert (await ben.call("command", question))["error"]["code"] == "id_reused"
    await anna.event("question")
    fresh = await fast_world.connect("carl")
    assert [one["text"] for one in fresh.snapshot["questions"]] == ["one"]


async def test_words_of_a_question_are_moderated(fast_world: World) -> None:
    host = await fast_world.connect(staff="host")
    anna = await fast_world.connect("anna")
    assert (await host.command("words", add=["bad"]))["ok"]
    await host.event("words", added=["bad"])
    refused = await anna.command("ask_question", text="is this b-a-d?")
    assert refused["error"]["code"] == "comment_refused"
    assert (await host.command("settings", first_hold=True))["ok"]
    await host.event("settings", first_hold=True)
    held = await anna.command("ask_question", text="is this good?")
    assert held["outcome"]["held"]
    await anna.until(lambda: anna.private("question"))
    ben = await fast_world.connect("ben")
    assert ben.snapshot["questions"] == []
    assert (await host.command("show_question", question=held["outcome"]["question"]))["ok"]
    await ben.event("question", text="is this good?")


async def test_viewers_are_limited_as_with_comments(fast_world: World) -> None:
    host, anna = await fast_world.connect(staff="host"), await fast_world.connect("anna")
    asked = await anna.command("ask_question", text="one")
    await anna.event("question", text="one")  # nobody votes for what is not on the screen
    answers = [await anna.command("vote_question", question=asked["outcome"]["question"]) for _ in range(30)]
    codes = [answer["error"]["code"] for answer in answers if not answer["ok"]]
    assert set(codes) == {"too_much"}
    assert (await anna.comment("hello"))["error"]["code"] == "too_much", "one limit for all a viewer does"
    assert (await host.command("mute", viewer="ben"))["ok"]
    await host.event("buyer", viewer="ben")
    ben = await fast_world.connect("ben")
    assert (await ben.command("ask_question", text="two"))["error"]["code"] == "muted"


async def test_viewers_give_no_commands_of_staff_and_no_unknown_ones(fast_world: World) -> None:
    anna = await fast_world.connect("anna")
    for do in ("pin", "undo", "answer_question"):
        assert (await anna.command(do, code="A01"))["error"]["code"] == "not_allowed"
    assert (await anna.command("dance"))["error"]["code"] == "command_unknown"
    assert (await anna.call("command", {"id": new_id(), "do": "ask_question"}))["error"]["code"] == "bad_input"
