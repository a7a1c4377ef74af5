"""Work before an order: whose proof is good, row by row, and who needs one."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from livecommerce.errors import BadInput
from livecommerce.intake.errors import ProofNeeded
from livecommerce.intake.proof_of_work import BITS, Proof, challenge_of, flaw_of, is_enough
from livecommerce.intake.speech import press_of, speech_of
from livecommerce.shows.kinds.settings import KIND
from livecommerce.shows.model import Keys
from livecommerce.shows.projection import Projector
from tests.intake.demo_show import ANNA, SHOP, SHOW, Stage

SECRET, VIEWER, NOW_MS = "5a" * 16, "anna", 1_900_000_000_000
NETWORK = "a" * 20
LATER_MS = 60_000


def solved(challenge: str, bits: int = BITS) -> Proof:
    return next(proof for n in itertools.count() if is_enough(proof := Proof(challenge, str(n)), bits))


def too_little(challenge: str) -> Proof:
    """A bit less than is asked for."""
    found = (Proof(challenge, str(n)) for n in itertools.count())
    return next(one for one in found if is_enough(one, BITS - 1) and not is_enough(one, BITS))


CHALLENGE = challenge_of(SECRET, SHOW, VIEWER, NOW_MS + LATER_MS)
GOOD = solved(CHALLENGE)
FORGED = f"{NOW_MS // 1000 + 999_999}{CHALLENGE[10:]}"
OF_ANOTHER = challenge_of(SECRET, SHOW, "ben", NOW_MS + LATER_MS)
OF_ANOTHER_SHOW = challenge_of(SECRET, "second", VIEWER, NOW_MS + LATER_MS)
OF_ANOTHER_SECRET = challenge_of("5b" * 16, SHOW, VIEWER, NOW_MS + LATER_MS)


@pytest.mark.parametrize(
    ("proof", "at_ms", "flaw"),
    [
        (GOOD, NOW_MS, None),
        (GOOD, NOW_MS + LATER_MS - 1, None),
        (GOOD, NOW_MS + LATER_MS, "expired"),
        (None, NOW_MS, "missing"),
        (too_little(CHALLENGE), NOW_MS, "too_little"),
        (Proof(CHALLENGE, GOOD.nonce + "0"), NOW_MS, "too_little"),
        (solved(OF_ANOTHER), NOW_MS, "foreign"),
        (solved(OF_ANOTHER_SHOW), NOW_MS, "foreign"),
        (solved(OF_ANOTHER_SECRET), NOW_MS, "foreign"),
        (Proof(FORGED, "1"), NOW_MS, "foreign"),
        (Proof("", "1"), NOW_MS, "malformed"),
        (Proof(CHALLENGE + "\n", GOOD.nonce), NOW_MS, "malformed"),
        (Proof(CHALLENGE, ""), NOW_MS, "malformed"),
        (Proof(CHALLENGE, "9" * 21), NOW_MS, "malformed"),
        (Proof(CHALLENGE, GOOD.nonce + "\n"), NOW_MS, "malformed"),
        (Proof(CHALLENGE, "٣"), NOW_MS, "malformed"),
    ],
)
def test_whose_proof_is_good(proof: Proof | None, at_ms: int, flaw: str | None) -> None:
    assert flaw_of(proof, SECRET, SHOW, VIEWER, at_ms) == flaw


def test_one_block_of_the_hash_holds_the_longest_text() -> None:
    """Pages hash one block of 64 bytes alone: 55 of text."""
    assert len(f"{CHALLENGE}:{'9' * 20}") <= 55


@pytest.mark.parametrize(
    "proof",
    ["text", 7, [], {}, {"challenge": "a"}, {"challenge": "a", "nonce": 1}, {"challenge": "a", "nonce": "b", "x": 1}],
)
def test_a_proof_of_another_form_is_refused_before_anything_else(proof: Any) -> None:
    for read in (
        lambda raw: speech_of(SHOW, ANNA, {**raw, "text": "+1"}, 200),
        lambda raw: press_of(SHOW, ANNA, {**raw, "code": "A01"}),
    ):
        with pytest.raises(BadInput) as refused:
            read({"id": "order-0001", "proof": proof})
        assert refused.value.details["field"] == "proof"


@pytest.fixture
async def slowed(stage: Stage) -> Stage:
    await stage.command("start")
    await stage.command("settings", proof_of_work=True)
    return stage


def proof_for(stage: Stage, viewer: str) -> Proof:
    until_ms = stage.store.now_ms() + LATER_MS
    return solved(challenge_of(stage.mirror.state["salt"], SHOW, viewer, until_ms))


async def refused(stage: Stage, text: str = "", **more: Any) -> str:
    with pytest.raises(ProofNeeded) as needed:
        await (
            stage.say(ANNA, text, network=NETWORK, **more)
            if text
            else stage.press(ANNA, "A01", network=NETWORK, **more)
        )
    assert needed.value.number == 2140
    return str(needed.value.details["why"])


async def test_an_order_of_a_new_viewer_carries_a_proof(slowed: Stage) -> None:
    assert [await refused(slowed), await refused(slowed, "A01+1")] == ["missing", "missing"]
    assert await refused(slowed, proof=proof_for(slowed, "ben")) == "foreign"
    assert (await slowed.held(), await slowed.log("chat")) == ({}, []), "nothing was shown and nothing held"
    assert not slowed.mirror.state["names"]
    proof = proof_for(slowed, ANNA.viewer)
    assert (await slowed.press(ANNA, "A01", network=NETWORK, proof=proof))["reason"] == "reserved"
    assert (await slowed.say(ANNA, "B01+1", network=NETWORK, proof=proof))["reason"] == "reserved"
    await slowed.catch_up()
    assert await refused(slowed, "B01改3") == "missing"
    assert (await slowed.say(ANNA, "B01改3", network=NETWORK, proof=proof))["reason"] == "reserved"


async def test_talk_and_what_gives_back_need_no_proof(slowed: Stage) -> None:
    proof = proof_for(slowed, ANNA.viewer)
    await slowed.press(ANNA, "A01", network=NETWORK, proof=proof)
    await slowed.catch_up()
    assert (await slowed.say(ANNA, "你好", network=NETWORK))["verdict"] == "none"
    assert (await slowed.say(ANNA, "取消A01", network=NETWORK))["reason"] == "cancelled"


async def test_who_has_bought_or_comes_by_no_network_of_ours_needs_none(slowed: Stage) -> None:
    await slowed.store.redis.hset(Keys.customers_of_shop(SHOP), mapping={ANNA.viewer: "last-week"})
    assert (await slowed.press(ANNA, "A01", network=NETWORK))["reason"] == "reserved"
    assert (await slowed.say(ANNA, "A01+1"))["reason"] == "reserved", "a bridge"


async def test_a_repeat_gets_its_first_answer_without_another_proof(slowed: Stage) -> None:
    proof = proof_for(slowed, ANNA.viewer)
    first = await slowed.press(ANNA, "A01", id="order-0001", network=NETWORK, proof=proof)
    assert await slowed.press(ANNA, "A01", id="order-0001", network=NETWORK, again=True) == first
    assert await refused(slowed, id="order-0002", again=True) == "missing"


async def test_off_nobody_is_asked_and_shows_of_before_have_it_off(stage: Stage) -> None:
    await stage.command("start")
    assert (await stage.press(ANNA, "A01", network=NETWORK))["reason"] == "reserved"
    state: Any = stage.mirror.state
    del state["settings"]["proof_of_work"]
    assert (await stage.press(ANNA, "A01", network=NETWORK))["reason"] == "reserved"
    for staff in (True, False):
        shown = KIND.shown
        assert shown is not None
        assert shown(state, Projector("salt"), staff)["settings"]["proof_of_work"] is False
