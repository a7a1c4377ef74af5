"""Where the words of a comment stand: in which clause, and in which stretch of it.

Clauses are parted by signs, joining words and, in Korean, by the verb that ends a sentence. Scripts without spaces
between words put blanks where a comma might stand: these part stretches, and what is said in one stretch may still be
about the one before it. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from livecommerce.comments import kinds
from livecommerce.comments.kinds import Token

# Between clauses stands more than a blank, a quote or a joint: a full stop, an exclamation mark, a picture. The ranges
# are marks that belong to the letter before them (Latin accents, Thai vowels and tones).
_BREAK: Final = re.compile("[^\\w\\s'’\"()\u0300-\u036f\u0e31-\u0e4e-]|--")
# A Korean sentence ends in its verb: "겨우 들어왔네요 A1 주문할게요", "1번이요 색깔이 …".
_SENTENCE_END: Final = re.compile("(?:[요죠네까]|니다|[았었였했]다|[ㅋㅎㅠㅜ])[ㅋㅎㅠㅜ~]* *$")
_HANGUL: Final = re.compile("[\u3131-\u318e가-힣]")
_SPACELESS: Final = re.compile(r"[\u3400-\u9fff\u0e00-\u0eff]\s|\s[\u3400-\u9fff\u0e00-\u0eff]")


class Place(NamedTuple):
    """Where a word stands: the clause by signs and joining words, the stretch by blanks (scripts without spaces)."""

    clause: int
    stretch: int


class Words:
    """The words of one comment with their places.

    Attributes:
        tokens: bound words; wishes ("想要") are left out.
        text: the folded and masked comment they stand in.
        places: one for each token.
        has_wish: a wish was said.
    """

    __slots__ = ("has_wish", "places", "text", "tokens")

    def __init__(self, tokens: Sequence[Token], text: str) -> None:
        self.has_wish = any(token.kind == kinds.WEAK_CLAIM for token in tokens)
        self.tokens = prepared([token for token in tokens if token.kind != kinds.WEAK_CLAIM])
        self.text = text
        self.places = places_of(self.tokens, text)

    def claim_by_phone(self) -> None:
        """Read a phone number behind an order as a claim word, as the Vietnamese pack does."""
        if all(token.kind != kinds.PHONE for token in self.tokens):
            return
        found: list[Token] = []
        for position, token in enumerate(self.tokens):
            if token.kind == kinds.PHONE:
                token = Token(kinds.CLAIM, "phone", token.start, token.end)
            elif token.kind in (kinds.NUMBER, kinds.CODE_LIKE, kinds.UNKNOWN) and self._is_of_an_address(position):
                token = Token(kinds.REMARK, None, token.start, token.end)  # "0901234567 12 Nguyễn Trãi Q5"
            found.append(token)
        self.tokens = found

    def _is_of_an_address(self, position: int) -> bool:
        """Numbers and words that nobody knows, behind a phone number."""
        parts = (kinds.NUMBER, kinds.CODE_LIKE, kinds.UNKNOWN, kinds.SOFT, kinds.PROSE)
        first = position
        while self.kind(first) in parts:
            first -= 1
        last = position
        while self.kind(last) in parts:
            last += 1
        words = sum(token.kind == kinds.UNKNOWN for token in self.tokens[first + 1 : last])
        return self.kind(first) == kinds.PHONE and words > 0

    def kind(self, position: int) -> int:
        """Kind of the word there, -1 outside the comment."""
        return self.tokens[position].kind if 0 <= position < len(self.tokens) else -1

    def in_one_stretch(self, position: int) -> bool:
        """Whether the word and the one before it belong together."""
        return 0 < position < len(self.tokens) and self.places[position].stretch == self.places[position - 1].stretch

    def stretch_has(self, position: int, wanted: int) -> bool:
        """Whether a word of these kinds (a set of bits) stands in the stretch of the word at `position`."""
        stretch = self.places[position].stretch
        return any(
            wanted >> token.kind & 1 and self.places[at].stretch == stretch for at, token in enumerate(self.tokens)
        )

    def is_code(self, item: Token) -> bool:
        """Whether an item is named by its code."""
        return self.text[item.start : item.end].startswith(str(item.value[0].folded))

    def is_kept(self, position: int) -> bool:
        """ "黑色留著", "蘋果不動": the word at `position` stays as it was."""
        after = position + 1
        if self.kind(after) == kinds.UNKNOWN and self.tokens[after].end - self.tokens[after].start == 1:
            after += 1  # "草莓那份不動"
        return after < len(self.tokens) and self.tokens[after].value == "keep"

    def is_denied(self, position: int) -> bool:
        """ "不要黑的 要白色M+1", "no bag for me, just the blouse x1"."""
        token = self.tokens[position]
        if self.kind(position - 1) != kinds.NEGATION or self.tokens[position - 1].value == "not that":
            return False  # "말고" stands behind what it denies
        if token.kind == kinds.ITEM:
            return self.kind(position + 1) == kinds.SEPARATOR
        return token.kind == kinds.OPTION


def places_of(tokens: Sequence[Token], text: str) -> list[Place]:
    """The clause and the stretch of each token."""
    found: list[Place] = []
    clause = stretch = 0
    before: Token | None = None
    korean = _HANGUL.search(text) is not None
    for token in tokens:
        if before is not None:
            ended = korean and _SENTENCE_END.search(text[before.start : token.start])
            if ended or _ends_a_clause(before, token, text):
                clause += 1
                stretch += 1
            elif _SPACELESS.search(text, before.end - 1, token.start + 1):
                stretch += 1
        found.append(Place(clause, stretch))
        before = token
    return found


def _ends_a_clause(before: Token, token: Token, text: str) -> bool:
    if before.kind == kinds.SEPARATOR or _joins(before) or _joins(token):
        return True
    return _BREAK.search(text, before.end, token.start) is not None


def _joins(token: Token) -> bool:
    return token.kind == kinds.DOUBT and token.value in ("joins", "but")


def prepared(tokens: list[Token]) -> list[Token]:
    """Pairs of words that are one word of change: "不要A01了" cancels, "빨강 말고 핑크로" exchanges."""
    changes = any(token.kind in (kinds.CHANGE, kinds.CHANGE_TO) for token in tokens)
    found: list[Token] = []
    for position, token in enumerate(tokens):
        before = found[-1] if found else None
        if token.kind == kinds.NEGATION and token.value == "not that" and changes:
            token = Token(kinds.OBJECT, None, token.start, token.end)
        elif token.kind in (kinds.CHANGE, kinds.CHANGE_TO) and _takes_instead(tokens, position, found):
            token = Token(kinds.CLAIM, "attached", token.start, token.end)  # "取消A12，改買B02+2"
        elif token.kind == kinds.TO and before is not None and _took_instead(found):
            continue  # "bỏ A12, thay bằng B7"
        elif token.kind == kinds.CHANGE and position == len(tokens) - 1 and _is_done(found):
            continue  # "hủy B7, lấy A12 1 cái thay nha"
        elif token.kind == kinds.NEGATION and token.value == "want" and _ends_in_any_more(tokens, position):
            token = Token(kinds.CANCEL, None, token.start, token.end)
        elif token.kind == kinds.NEGATION and token.value == "want" and before is not None and before.value == "first":
            found.pop()  # "A12는 이제 안 할게요"
            token = Token(kinds.CANCEL, None, token.start, token.end)
        elif token.value == "leaving out" and _leaves_out(tokens, position, found):
            token = Token(kinds.CANCEL, None, token.start, token.end)  # "B7 빼고 A12 하나 넣어주세요"
        elif token.kind == kinds.ANY_MORE and _closes_a_refusal(found):
            continue
        elif token.kind == kinds.CANCEL and before is not None and _cancels_again(tokens, position, found):
            found.pop()  # "ayoko na po ng A1 red, paki-cancel"
            continue
        elif token.kind == kinds.CANCEL and before is not None and before.kind == kinds.CANCEL:
            continue  # "이제 안 살래요 취소 부탁드립니다"
        found.append(token)
    return found


def _ends_in_any_more(tokens: list[Token], position: int) -> bool:
    for token in tokens[position + 1 :]:
        if token.kind == kinds.ANY_MORE:
            return True
        if token.kind not in (kinds.ITEM, kinds.OPTION, kinds.THIS, kinds.NUMBER):
            return False
    return False


def _closes_a_refusal(found: list[Token]) -> bool:
    for token in reversed(found):
        if token.kind == kinds.CANCEL:
            return True
        if token.kind not in (kinds.ITEM, kinds.OPTION, kinds.THIS, kinds.NUMBER):
            return False
    return False


def _takes_instead(tokens: list[Token], position: int, found: list[Token]) -> bool:
    """ "取消B02，改買A12+1", "取消B02 改買襪子+3": after a cancellation the word of change claims something else."""
    if not any(token.kind == kinds.CANCEL for token in found):
        return False
    if found[-1].kind == kinds.SEPARATOR:
        return True
    following = [token.kind for token in tokens[position + 1 :] if token.kind != kinds.OPTION]
    if tokens[position].kind == kinds.CHANGE_TO:
        return following[:1] == [kinds.ITEM]  # "ยกเลิกกระเป๋าค่ะ เปลี่ยนเป็นเดรสชมพู M"
    return following[:2] == [kinds.ITEM, kinds.QUANTITY]


def _leaves_out(tokens: list[Token], position: int, found: list[Token]) -> bool:
    named = bool(found) and found[-1].kind in (kinds.ITEM, kinds.OPTION)
    return named and [token.kind for token in tokens[position + 1 : position + 3]] == [kinds.ITEM, kinds.QUANTITY]


def _cancels_again(tokens: list[Token], position: int, found: list[Token]) -> bool:
    if found[-1].kind != kinds.SEPARATOR or not any(token.kind == kinds.CANCEL for token in found):
        return False
    following = tokens[position + 1].kind if position + 1 < len(tokens) else -1
    return following not in (kinds.ITEM, kinds.OPTION, kinds.NUMBER, kinds.THIS)


def _is_done(found: list[Token]) -> bool:
    return [token.kind for token in found if token.kind in (kinds.CANCEL, kinds.QUANTITY)] == [
        kinds.CANCEL,
        kinds.QUANTITY,
    ]


def _took_instead(found: list[Token]) -> bool:
    """The last word is one of change that was read as a claim."""
    undone = any(token.kind == kinds.CANCEL for token in found)
    return undone and found[-1].kind == kinds.CLAIM and len(found) > 1 and found[-2].kind == kinds.SEPARATOR


def without_denials(tokens: list[Token]) -> list[Token]:
    """ "không lấy A12 đâu": a question word that only strengthens the negation before it asks nothing."""
    denied = False
    kept: list[Token] = []
    for token in tokens:
        denied = denied or token.kind in (kinds.NEGATION, kinds.CANCEL)
        if not (denied and token.kind == kinds.QUESTION and token.value == "denies"):
            kept.append(token)
    return kept


def calls_others(tokens: Sequence[Token], text: str) -> bool:
    """ "想要A12的+1", "包包好看的+1": a sign after 的 calls whoever wants one; "F3蛋黃的+2" names an option."""
    return any(
        token.kind == kinds.QUANTITY
        and before.kind != kinds.OPTION
        and text[max(token.start - 2, 0) : token.start].rstrip().endswith("的")
        for before, token in pairwise(tokens)
    )
