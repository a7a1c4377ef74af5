"""What a speaker does in a show, as checked values: says a line, presses the button, gives a ticket back. Pure.

`speech_of`, `press_of`, `withdrawal_of` and `acceptance_of` read what a page sent. Other doors make the values
themselves.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Protocol

import msgspec
from msgspec import Struct

from livecommerce.catalogue.products import AXES_MAX, VALUE_LENGTH_MAX
from livecommerce.errors import BadInput
from livecommerce.intake.proof_of_work import Proof
from livecommerce.intake.text import checked_text
from livecommerce.shows.model import valid_id
from livecommerce.stock.operations import RESERVATION_LENGTH_MAX

PIN_ID_LENGTH_MAX = 20  # `p` and a number, as shows count them
QUANTITY_MAX = 99  # of one press, as the grammar has it for a comment
RESERVATION_LENGTHS = (3, RESERVATION_LENGTH_MAX)  # the shortest is a code of one letter

Payload = Mapping[str, object]  # a map as it came over the wire: nothing is known of its values


class Speaker(Protocol):
    """Who speaks: the viewer's id, to whom claims belong, and the name beside the line."""

    @property
    def viewer(self) -> str: ...

    @property
    def name(self) -> str: ...


class Act(Struct, frozen=True, kw_only=True):
    """What all acts have.

    Attributes:
        id: made by the sender, one an act; the same id is done once and answered alike.
        source: the door, as the books keep it with a claim; at most 40 characters.
        again: the sender says that it was sent before: where the id is known, its first answer comes back uncounted.
        network: the mark of the network that it comes from; "" of doors that know none. A viewer who never bought in
            the shop counts with it.
        proof: of work, as the show may ask of such a viewer.
    """

    show: str
    speaker: Speaker
    id: str
    source: str
    again: bool = False
    network: str = ""
    proof: Proof | None = None


class Speech(Act, frozen=True, kw_only=True):
    """A line. `pin` is the id of the pin that the speaker saw, `options` what was chosen on its card: axis to value."""

    text: str
    pin: str | None = None
    options: Mapping[str, str] = {}
    source: str = "comment"


class Press(Act, frozen=True, kw_only=True):
    """The button: an order that needs no understanding."""

    code: str
    quantity: int = 1
    options: Mapping[str, str] = {}
    source: str = "button"


class Withdrawal(Act, frozen=True, kw_only=True):
    """An own ticket given back."""

    reservation: str
    source: str = "button"


class Acceptance(Act, frozen=True, kw_only=True):
    """An offer to one who waited, taken."""

    reservation: str
    source: str = "button"


def speech_of(show: str, speaker: Speaker, raw: Payload, length_max: int) -> Speech:
    """
    Raises:
        BadInput, CommentNotText, CommentTooLong.
    """
    known_fields(raw, "id", "text", "pin", "options", "proof", "again")
    comment_id = checked_id(raw)
    text = checked_text(raw.get("text"), length_max)
    options = checked_options(raw.get("options"))
    pin = raw.get("pin")
    if pin is not None and not (isinstance(pin, str) and len(pin) <= PIN_ID_LENGTH_MAX):
        raise BadInput("pin is the id of the pin that the page showed")
    again = is_again(raw)
    proof = proof_of(raw)
    return Speech(
        show=show, speaker=speaker, id=comment_id, text=text, pin=pin, options=options, again=again, proof=proof
    )  # fmt: skip


def press_of(show: str, speaker: Speaker, raw: Payload) -> Press:
    """
    Raises:
        BadInput.
    """
    known_fields(raw, "id", "code", "quantity", "options", "proof", "again")
    claim_id = checked_id(raw)
    code, quantity = raw.get("code"), raw.get("quantity", 1)
    # `True` is an int to isinstance, and no quantity.
    if not isinstance(code, str) or not isinstance(quantity, int) or isinstance(quantity, bool):
        raise BadInput(f"A claim has code, options and quantity 1 to {QUANTITY_MAX}.")
    if not 1 <= quantity <= QUANTITY_MAX:
        raise BadInput(f"A claim has code, options and quantity 1 to {QUANTITY_MAX}.")
    options = checked_options(raw.get("options"))
    again = is_again(raw)
    proof = proof_of(raw)
    return Press(
        show=show, speaker=speaker, id=claim_id, code=code, quantity=quantity, options=options, again=again, proof=proof
    )  # fmt: skip


def withdrawal_of(show: str, speaker: Speaker, raw: Payload) -> Withdrawal:
    """
    Raises:
        BadInput.
    """
    known_fields(raw, "id", "reservation", "again")
    return Withdrawal(show=show, speaker=speaker, id=checked_id(raw), reservation=checked_reservation(raw))


def acceptance_of(show: str, speaker: Speaker, raw: Payload) -> Acceptance:
    """
    Raises:
        BadInput.
    """
    known_fields(raw, "id", "reservation", "again")
    reservation, again = checked_reservation(raw), is_again(raw)
    return Acceptance(show=show, speaker=speaker, id=checked_id(raw), reservation=reservation, again=again)


def checked_reservation(raw: Payload) -> str:
    """
    Raises:
        BadInput.
    """
    reservation = raw.get("reservation")
    shortest, longest = RESERVATION_LENGTHS
    if not isinstance(reservation, str) or not shortest <= len(reservation) <= longest:
        raise BadInput("reservation is the id of your ticket")
    return reservation


def known_fields(raw: Payload, *names: str) -> None:
    """
    Raises:
        BadInput: the map has a field of another name.
    """
    for name in raw:
        if name not in names:
            raise BadInput(f"There is no field {name[:40]!r} here; there are {', '.join(names)}.", field=name[:40])


def is_again(raw: Payload) -> bool:
    """Whether the page says that it sent this before.

    Raises:
        BadInput: `again` is neither true nor false.
    """
    again = raw.get("again", False)
    if not isinstance(again, bool):
        raise BadInput("again is true or false", field="again")
    return again


def proof_of(raw: Payload) -> Proof | None:
    """
    Raises:
        BadInput: `proof` is no map of two texts.
    """
    proof = raw.get("proof")
    if proof is None:
        return None
    if isinstance(proof, dict) and set(proof) == {"challenge", "nonce"}:
        challenge, nonce = proof["challenge"], proof["nonce"]
        if isinstance(challenge, str) and isinstance(nonce, str):
            return Proof(challenge, nonce)
    raise BadInput("proof is a map with the texts challenge and nonce", field="proof")


def content_of(speech: Speech) -> str:
    """A fingerprint of what a line says: the same id with another one is another line."""
    said = msgspec.json.encode([speech.text, sorted(speech.options.items())])
    return hashlib.blake2b(said, digest_size=8).hexdigest()


def checked_id(raw: Payload) -> str:
    """
    Raises:
        BadInput: the id is missing or of another form.
    """
    identity = raw.get("id")
    if not valid_id(identity):
        raise BadInput("id: 8 to 64 letters, digits, - or _, made by the page for each comment")
    return str(identity)


def checked_options(raw: object) -> Mapping[str, str]:
    """Options chosen on the card: {axis: value}.

    Raises:
        BadInput.
    """
    if raw is None:
        return {}
    if not isinstance(raw, dict) or len(raw) > AXES_MAX:
        raise BadInput("options is a map of axis to value")
    chosen: dict[str, str] = {}
    for axis, value in raw.items():
        if not isinstance(axis, str) or not isinstance(value, str) or max(len(axis), len(value)) > VALUE_LENGTH_MAX:
            raise BadInput("options is a map of axis to value")
        chosen[axis] = value
    return chosen
