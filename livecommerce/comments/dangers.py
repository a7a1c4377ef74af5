"""What speaks against a strong order or change: by the word, and by where it stands. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from livecommerce.comments import kinds
from livecommerce.comments.clauses import Words
from livecommerce.comments.cores import CHANGING, Core, is_core
from livecommerce.comments.kinds import Token, bits

# Where one of these stands nothing is sure, wherever it is.
_NEVER: Final = bits(
    kinds.QUESTION, kinds.ASK, kinds.BAD_QUANTITY, kinds.BAD_NUMBER, kinds.CODE_LIKE, kinds.GLUED, kinds.MISSPELT,
)  # fmt: skip
# What a negation may have for an object of its own: "不在家", "not home", "不要黑的".
_OBJECT_OF_ITS_OWN: Final = bits(kinds.UNKNOWN, kinds.SOFT, kinds.REMARK, kinds.PROSE, kinds.TOPIC, kinds.PRAISE)
_A_PERSON: Final = bits(kinds.SOFT)
_A_REMARK: Final = bits(kinds.REMARK)
_STRANGERS: Final = bits(kinds.UNKNOWN, kinds.PROSE, kinds.SOFT)
# Of these a remark may speak: "gửi chung với đơn hôm qua", "地址我等等私訊".
_OF_TIME: Final = ("earlier", "past", "when", None)
_OF_SOMEBODY: Final = ("person", "named")


class Stand(NamedTuple):
    """How a word stands to the strong forms.

    Attributes:
        near: in the stretch of one.
        beside: in the clause of one.
        before: before all of them.
        changes: all of them change or cancel what was ordered.
    """

    near: bool
    beside: bool
    before: bool
    changes: bool


class Dangers:
    """The words around the strong forms of one comment."""

    __slots__ = ("strong", "tokens", "words")

    def __init__(self, words: Words, strong: Sequence[Core]) -> None:
        self.words = words
        self.tokens = words.tokens
        self.strong = strong

    def are_there(self) -> bool:
        """Whether a word speaks against the strong forms."""
        positions = [at for core in self.strong for at in range(core.first, core.last + 1)]
        clauses = {self.words.places[at].clause for at in positions}
        stretches = {self.words.places[at].stretch for at in positions}
        changes = all(core.mask & CHANGING for core in self.strong)
        for position, token in enumerate(self.tokens):
            if is_core(token):
                continue
            place = self.words.places[position]
            stand = Stand(place.stretch in stretches, place.clause in clauses, position < positions[0], changes)
            if self._is_danger(position, token, stand):
                return True
        return False

    def _is_danger(self, position: int, token: Token, stand: Stand) -> bool:
        kind, value = token.kind, token.value
        if _NEVER >> kind & 1:
            return not (stand.changes and not stand.near and kind == kinds.QUESTION and value is None)
        if stand.changes and not stand.near and not (kind == kinds.DOUBT and value == "if"):
            return False  # the reason: "草莓取消喔 家裡還有", "A12 cancel, my sister bought one already"
        timed = kind in (kinds.DOUBT, kinds.DANGER) and value in _OF_TIME
        if timed and self._is_of_delivery(position, near=stand.near):
            return False  # "A12一件，跟早上那箱併在一起"
        judge = _JUDGES.get(kind)
        return judge is not None and judge(self, position, token, stand)

    def _negation(self, position: int, token: Token, stand: Stand) -> bool:
        own = self._has_its_own_object(position)
        return not own or (stand.near and token.value != "not that")  # "빨강은 말고 초록 원피스 L 하나요"

    def _doubt(self, position: int, token: Token, stand: Stand) -> bool:
        match token.value:
            case "joins":
                return False
            case "earlier":
                own = stand.before or self.words.stretch_has(position, _STRANGERS)
                return not stand.changes and (stand.near or not own)
            case "story":  # "土鳳梨酥包色+1，想說兩種都吃吃看"
                return stand.near or not (stand.before or (self._are_signed() and not stand.beside))
            case "when":
                return stand.near or stand.before  # "รอเมียอนุมัติก่อนนะ B7 1 ใบ" waits; "B7 1 ใบ เดี๋ยวโอน" pays later
            case "but":
                return not stand.before and not self._is_of_delivery_from(position)
            case "only":  # "只要免運 A12+1", but "只要苹果+1就行"
                return self.words.kind(position + 1) not in (kinds.ITEM, kinds.OPTION, kinds.NUMBER)
            case "soft":
                return stand.beside and not stand.changes
        return True

    def _report(self, position: int, token: Token, stand: Stand) -> bool:
        if token.value == "oops":
            return any(other.kind in (kinds.QUANTITY, kinds.OPTION) for other in self.tokens[position:])
        return not (stand.changes and token.value == "mistake")

    def _state(self, position: int, token: Token, stand: Stand) -> bool:
        return stand.near or not stand.before

    def _agreement(self, position: int, token: Token, stand: Stand) -> bool:
        return bool(token.value == "echo")

    def _all(self, position: int, token: Token, stand: Stand) -> bool:
        return stand.near and not stand.changes

    def _any_more(self, position: int, token: Token, stand: Stand) -> bool:
        own = stand.before and not stand.near and self.words.stretch_has(position, _STRANGERS)
        own = own or (not stand.near and self.words.stretch_has(position, _A_PERSON))  # "เดรส 1 ตัวจ้า แฟนอนุญาตแล้ว"
        return stand.beside and token.value == "doubt" and not own  # "ทันแล้ว CF A12", but not "CF A12 แล้ว"

    def _topic(self, position: int, token: Token, stand: Stand) -> bool:
        return stand.near and bool(token.value == "matter")

    def _unknown(self, position: int, token: Token, stand: Stand) -> bool:
        if stand.before and self.words.text[token.start : token.end].endswith("면") and token.end - token.start > 2:
            return True  # "무료배송이면 가방 2개 살게요": a Korean condition
        return stand.near and bool(token.value == "measure")

    def _foreign_option(self, position: int, token: Token, stand: Stand) -> bool:
        cores = [at for core in self.strong for at in (core.first - 1, core.last + 1)]
        return stand.near or position in cores

    def _danger(self, position: int, token: Token, stand: Stand) -> bool:
        match token.value:
            case "pronoun":  # "他A12+1", but "我女兒說她要A12+1"
                return not any(other.value in _OF_SOMEBODY for other in self.tokens[:position])
            case "past":
                own = stand.before and self.words.stretch_has(position, _STRANGERS)  # not "昨天 A12+1"
                return not stand.changes and (stand.near or not own)
            case "compare":
                return stand.beside
            case "others":
                ours = stand.before or self.words.stretch_has(position, _A_PERSON)
                family = any(other.value in _OF_SOMEBODY for other in self.tokens[:position])
                if family and stand.before and self._are_signed():
                    return False  # "my daughter says she wants one too so A12 +2"
                return stand.beside or not ours  # "my husband finally said yes! B7 +1"
            case "host" | "game" | "hypothetical":
                return stand.before or stand.near  # after it, an address: "ship Hải Phòng", "room 12B"
        return True

    def _are_signed(self) -> bool:
        """Each order has a sign and a number."""
        return all(
            any(token.kind == kinds.QUANTITY and token.value[1] != "count" for token in core.tokens)
            for core in self.strong
        )

    def _is_of_delivery(self, position: int, *, near: bool) -> bool:
        """In one stretch with a remark; near an order, with no word of the order between the two."""
        if not near:
            return self.words.stretch_has(position, _A_REMARK)
        for step in (1, -1):  # "어제 주문한 거랑 합배송이요", "gửi chung với đơn hôm qua"
            at = position + step
            while self.words.kind(at) == kinds.AND or (self.words.kind(at) != -1 and not is_core(self.tokens[at])):
                if self.words.kind(at) == kinds.REMARK:
                    return True
                at += step
        return False

    def _is_of_delivery_from(self, position: int) -> bool:
        """ "A12+1 不過下週才匯款": what follows "but" is of payment or delivery and denies nothing."""
        following = self.tokens[position + 1 :]
        return any(token.kind == kinds.REMARK for token in following) and not any(
            token.kind in (kinds.NEGATION, kinds.DOUBT) for token in following
        )

    def _has_its_own_object(self, position: int) -> bool:
        """ "老公不在家 A12+1", "不要黑的 要白色M+1": it denies something else."""
        wanted = {str(token.value) for core in self.strong for token in core.tokens if token.kind == kinds.OPTION}
        at = position - 1
        while self.words.in_one_stretch(at + 1):
            if self.tokens[at].kind == kinds.OPTION:
                return str(self.tokens[at].value) not in wanted  # "灰的家裡有了不要，A02黑+1"
            at -= 1
        if not self.words.in_one_stretch(position + 1):
            return False
        following = self.tokens[position + 1]
        if following.kind == kinds.ITEM:
            items = [token.value[0] for core in self.strong for token in core.tokens if token.kind == kinds.ITEM]
            return self.words.is_denied(position + 1) and following.value[0] not in items
        if following.kind == kinds.OPTION:
            return position < self.strong[0].first and str(following.value) not in wanted
        return bool(_OBJECT_OF_ITS_OWN >> following.kind & 1)


_JUDGES: Final = {
    kinds.NEGATION: Dangers._negation,
    kinds.DOUBT: Dangers._doubt,
    kinds.REPORT: Dangers._report,
    kinds.STATE: Dangers._state,
    kinds.AGREE: Dangers._agreement,
    kinds.ALL: Dangers._all,
    kinds.ANY_MORE: Dangers._any_more,
    kinds.TOPIC: Dangers._topic,
    kinds.UNKNOWN: Dangers._unknown,
    kinds.OPTION: Dangers._foreign_option,
    kinds.DANGER: Dangers._danger,
}
