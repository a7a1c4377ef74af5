"""One comment to one verdict. Pure: the same text, catalogue, packs and pin always give the same answer.

fold → mask → tokenise → bind → judge → read. The judge looks at *which sorts* of words there are; only what passes it
is read as an order, and the reader refuses whatever it cannot account for. A false order costs ten missed ones.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from livecommerce.comments import kinds
from livecommerce.comments.binding import bind, kinds_of, quantity_of
from livecommerce.comments.catalogue import CatalogueIndex, Item, View
from livecommerce.comments.changes import has_change, read_changes
from livecommerce.comments.clauses import calls_others, without_denials
from livecommerce.comments.cores import quantities_last
from livecommerce.comments.folding import fold, parted, suspects, unmask, visible
from livecommerce.comments.kinds import Token, bits
from livecommerce.comments.masking import mask
from livecommerce.comments.orders import OrderReader, Refused, choose
from livecommerce.comments.strong import read_strong
from livecommerce.comments.tokens import tokenise
from livecommerce.comments.verdict import Intent, Reason, Reserve, Verdict, VerdictWord

_STRANGER_LENGTH_MAX: Final = 12  # characters; a longer stretch is talk, not the name of a thing
_HAN_VERBS: Final = frozenset(
    "有剩养生卖买来送到第去看吃睡走哭死回洗喝玩疯说问知等学当做减变发抽中存加报打开关跟想听讲"
)
_KOREAN_VERB_ENDS: Final = frozenset("아어여해려켜워와춰혀겨줘쳐져봐서")
TEXT_LENGTH_MAX: Final = (
    2000  # ten times what a show accepts; longer text is cut before folding so that time stays bounded
)

_SIGNALS: Final = bits(
    kinds.ITEM, kinds.OPTION, kinds.NUMBER, kinds.QUANTITY, kinds.LESS, kinds.BAD_QUANTITY, kinds.CLAIM,
    kinds.WEAK_CLAIM, kinds.CANCEL, kinds.CHANGE, kinds.CHANGE_TO, kinds.CODE_LIKE, kinds.GLUED,
    kinds.EVERY_VALUE, kinds.PHONE, kinds.QUESTION, kinds.ASK, kinds.TOPIC, kinds.REPORT, kinds.STATE,
    kinds.WORD_NUMBER, kinds.ANY_MORE, kinds.PLUS, kinds.MINUS, kinds.TIMES, kinds.MISSPELT,
    kinds.BAD_NUMBER, kinds.ALL,
)  # fmt: skip
_ACTS: Final = bits(
    kinds.QUANTITY, kinds.LESS, kinds.CLAIM, kinds.CANCEL, kinds.CHANGE, kinds.CHANGE_TO, kinds.BAD_QUANTITY,
)  # fmt: skip
_CHANGE: Final = bits(kinds.CANCEL, kinds.CHANGE, kinds.CHANGE_TO, kinds.LESS)
_ORDERS: Final = bits(kinds.QUANTITY, kinds.CLAIM)
_ASKABLE: Final = bits(
    kinds.ITEM, kinds.OPTION, kinds.QUANTITY, kinds.TOPIC, kinds.ASK, kinds.THIS, kinds.CLAIM, kinds.REMARK,
    kinds.CODE_LIKE, kinds.PRICE, kinds.BAD_QUANTITY, kinds.CANCEL, kinds.STATE, kinds.LESS, kinds.REPORT,
    kinds.EVERY_VALUE, kinds.GLUED,
    kinds.CHANGE, kinds.CHANGE_TO,
)  # fmt: skip
_STRANGE: Final = bits(kinds.UNKNOWN, kinds.PROSE, kinds.TOPIC, kinds.ALL, kinds.QUESTION_START, kinds.BAD_NUMBER)
_DROPPED: Final = bits(kinds.PRICE, kinds.REMARK, kinds.SOFT, kinds.PRAISE, kinds.PHONE, kinds.LINK, kinds.ANY_MORE)
_NEEDS_JUDGING: Final = ~bits(
    kinds.ITEM, kinds.OPTION, kinds.QUANTITY, kinds.CLAIM, kinds.SEPARATOR, kinds.AND, kinds.LESS,
    kinds.BAD_QUANTITY, kinds.CANCEL, kinds.CHANGE, kinds.CHANGE_TO, kinds.TO, kinds.CODE_LIKE,
    kinds.EVERY_VALUE,
)  # fmt: skip
_IDLE: Final = bits(
    kinds.NUMBER, kinds.WORD_NUMBER, kinds.SEPARATOR, kinds.THIS, kinds.AND, kinds.WEAK_CLAIM,
)  # fmt: skip
_A_MISSPELT: Final = bits(kinds.MISSPELT)
_QUESTION_OR_ASK: Final = bits(kinds.QUESTION, kinds.ASK)
_A_TOPIC: Final = bits(kinds.TOPIC)
_WEAKLY_ASKABLE: Final = bits(
    kinds.CLAIM, kinds.OPTION, kinds.PRICE, kinds.CANCEL, kinds.CHANGE, kinds.CHANGE_TO,
)  # fmt: skip
_THING_WORDS: Final = bits(kinds.OPTION, kinds.CLAIM, kinds.PRICE)
_A_QUESTION: Final = bits(kinds.QUESTION)
_A_REPORT: Final = bits(kinds.REPORT)
_A_STATE: Final = bits(kinds.STATE)
_WANTED: Final = bits(kinds.QUANTITY, kinds.CLAIM, kinds.CODE_LIKE)
_A_NEGATION: Final = bits(kinds.NEGATION)
_A_ANY_MORE: Final = bits(kinds.ANY_MORE)
_A_QUANTITY: Final = bits(kinds.QUANTITY)
_A_UNKNOWN: Final = bits(kinds.UNKNOWN)
_NEGATION_OR_ANY_MORE: Final = bits(kinds.NEGATION, kinds.ANY_MORE)
_A_AGREE: Final = bits(kinds.AGREE)
_MEANT: Final = bits(kinds.CLAIM, kinds.CODE_LIKE, kinds.CANCEL, kinds.CHANGE, kinds.CHANGE_TO)
_A_DOUBT: Final = bits(kinds.DOUBT)
_CODE_LIKE_OR_GLUED: Final = bits(kinds.CODE_LIKE, kinds.GLUED)
_UNDOING: Final = bits(kinds.CANCEL, kinds.CHANGE, kinds.CHANGE_TO)
_A_PRAISE: Final = bits(kinds.PRAISE)
_PRAISED: Final = bits(kinds.PRAISE, kinds.ITEM, kinds.SOFT)
_ORDER_LIKE: Final = bits(kinds.OPTION, kinds.CLAIM, kinds.CODE_LIKE)
_A_SOFT: Final = bits(kinds.SOFT)
_CLAIM_OR_OPTION: Final = bits(kinds.CLAIM, kinds.OPTION)
_A_GLUED: Final = bits(kinds.GLUED)
_A_CODE_LIKE: Final = bits(kinds.CODE_LIKE)
_CHANGE_OR_CHANGE_TO: Final = bits(kinds.CHANGE, kinds.CHANGE_TO)
_A_OPTION: Final = bits(kinds.OPTION)
_FOR_ALL: Final = bits(kinds.ALL, kinds.QUANTITY, kinds.CLAIM, kinds.SOFT, kinds.SEPARATOR, kinds.THIS)
# Reasons that lie in the words around an order, see `_Judge._strong_or`.
_OVERRULED: Final = {
    Reason.UNKNOWN_WORDS, Reason.DOUBT, Reason.NEGATION, Reason.AGREEMENT, Reason.REPORT, Reason.CANCEL_ALL,
    Reason.CHATTER, Reason.NO_QUANTITY, Reason.NO_ITEM, Reason.CHANGE_UNCLEAR, Reason.BAD_OPTION,
    Reason.TWO_READINGS,
}  # fmt: skip
# Dangers wherever they stand (see dangers.py): with one of these the second look is not worth its time.
_SPOILT: Final = bits(kinds.ASK, kinds.BAD_QUANTITY, kinds.BAD_NUMBER, kinds.GLUED, kinds.MISSPELT)
_DIGITS: Final = bits(kinds.NUMBER, kinds.BAD_QUANTITY, kinds.BAD_NUMBER)
# One of these is in each strong form: a second look costs as much as the first, and most comments are chatter.
_NAMES: Final = bits(kinds.ITEM, kinds.NUMBER, kinds.OPTION, kinds.CANCEL, kinds.NEGATION)
_WISHES: Final = bits(kinds.WEAK_CLAIM, kinds.PRAISE)
_WORDS_OUTSIDE_MIN: Final = 4  # characters; "「A12+1」謝謝" is an order
# Pairs of marks with somebody's words between them.
_QUOTED: Final = re.compile("""[「『“《‘]([^」』”》’]+)[」』”》’]|"([^"]+)"|(?<![A-Za-z])'([^']+)'(?![A-Za-z])""")
_NONE: Final[tuple[Intent, ...]] = ()


def parse(text: str, index: CatalogueIndex, packs: Sequence[str], pinned: str | None) -> Verdict:
    """Read one comment.

    Args:
        text: the comment as sent.
        index: the show's compiled catalogue.
        packs: names of the show's grammar packs; raises PackUnknown for others.
        pinned: code of the item on this viewer's screen when it was sent, or None.
    """
    view = index.view(tuple(packs))
    pinned_item = index.items.get(pinned) if pinned is not None else None
    if len(text) > TEXT_LENGTH_MAX:
        text = text[:TEXT_LENGTH_MAX]
    if not text.isascii():
        if suspects(text):
            return _suspect(text, view, pinned_item)
        text = visible(text)
    return _read(text, view, pinned_item)


def _suspect(text: str, view: View, pinned: Item | None) -> Verdict:
    """What imitates or hides letters never orders, however it reads without the disguise.

    A look-alike may join what stands before it ("A12①件" is no A121) or stand alone: both readings are tried.
    """
    verdict = _read(unmask(text), view, pinned)
    if verdict.verdict == "none" and verdict.reason is Reason.CHATTER:
        apart = parted(text)
        if apart != text and (reading := _read(unmask(apart), view, pinned)).intents:
            verdict = reading
    if verdict.verdict in ("order", "change"):
        return Verdict("unclear", _NONE, Reason.LOOK_ALIKE, guess=verdict.intents)
    return verdict


def _read(text: str, view: View, pinned: Item | None) -> Verdict:
    folded = fold(text)
    if view.twins:
        folded = fold(folded.translate(view.twins))
    folded = mask(folded, view.kept)
    raw = tokenise(folded, view)
    signals = kinds_of(raw)
    if not signals & _SIGNALS:
        return _CHATTER
    words = bind(raw, signals, folded, view)
    if signals & 1 << kinds.QUESTION:
        words = without_denials(words)
    return _Judge(words, folded, view, pinned, text.strip()).verdict()


_CHATTER: Final = Verdict("none", _NONE, Reason.CHATTER)


class _Judge:
    """Decides what sort of comment it is from the kinds of its words."""

    __slots__ = ("coded", "folded", "items", "mask", "pinned", "tokens", "view", "words", "written")

    def __init__(self, tokens: list[Token], folded: str, view: View, pinned: Item | None, written: str) -> None:
        self.folded = folded
        self.written = written
        self.view = view
        self.pinned = pinned
        self.items: list[Item] = []
        self.coded = False
        mask = 0
        if len(tokens) > 1 and tokens[-1].kind == kinds.NEGATION and tokens[-1].value == "asks at the end":
            tokens = [*tokens[:-1], Token(kinds.QUESTION, None, tokens[-1].start, tokens[-1].end)]
        for place, token in enumerate(tokens):
            mask |= 1 << token.kind
            if token.kind == kinds.ITEM:
                owners: tuple[Item, ...] = token.value
                self.items.append(owners[0])
                self.coded = self.coded or folded[token.start : token.end].startswith(owners[0].folded)
            elif token.kind == kinds.NUMBER and str(token.value) in view.codes and _quantity_next(tokens, place):
                self.items.append(view.codes[str(token.value)])
                self.coded = True
        self.words = tokens
        if mask & 1 << kinds.DANGER:  # a word of danger is one more stranger where an order is not strong
            strange = (kinds.UNKNOWN, None)
            tokens = [Token(*strange, it.start, it.end) if it.kind == kinds.DANGER else it for it in tokens]
            mask = mask & ~(1 << kinds.DANGER) | _A_UNKNOWN
        self.tokens = tokens
        self.mask = mask

    def has(self, kinds_mask: int) -> bool:
        return bool(self.mask & kinds_mask)

    def verdict(self) -> Verdict:
        """The answer, the first rule that applies."""
        if not self.mask & _NEEDS_JUDGING:
            return self._strong_or(self._act())
        return self._strong_or(
            self._question()
            or self._report()
            or self._negation()
            or self._agreement()
            or self._doubt()
            or self._strange()
            or self._act()
        )

    def _strong_or(self, verdict: Verdict) -> Verdict:
        """What the words around an order made doubtful stands where the order is a strong one."""
        # "…, isa para sa ninang": a word for a number may count something else; digits may be a bad quantity
        misread = verdict.reason is Reason.BAD_QUANTITY and not self.mask & _DIGITS
        loose = verdict.reason is Reason.UNKNOWN_CODE and not self.mask & _CODE_LIKE_OR_GLUED and not self._split_code()
        if verdict.intents or (verdict.reason not in _OVERRULED and not misread and not loose):
            return verdict
        remarked = self.pinned is not None and self.mask & 1 << kinds.REMARK and self.mask & _ORDERS
        if not (self.mask & _NAMES or remarked) or self.mask & _SPOILT:
            return verdict
        if not self.mask & _ACTS and self.mask & _NEGATION_OR_ANY_MORE != _NEGATION_OR_ANY_MORE:
            return verdict
        strong = read_strong(self.words, self.folded, self.view, self.pinned)
        if strong is None or self._quotes(strong.spans):
            return verdict
        if all(isinstance(intent, Reserve) for intent in strong.intents):
            return Verdict("order", strong.intents, Reason.ORDER, heard=self._heard(strong.spans))
        return Verdict("change", strong.intents, Reason.CHANGE, heard=self._heard(strong.spans))

    def _quotes(self, spans: list[tuple[int, int]]) -> bool:
        """An order in marks, and other words outside of them: "老婆：「外套紅M+1」老公：「妳有十件了」"."""
        quoted = [fold(next(filter(None, match.groups()))) for match in _QUOTED.finditer(self.written)]
        if not quoted or sum(map(len, quoted)) + _WORDS_OUTSIDE_MIN > len(self.folded):
            return False
        return any(self.folded[start:end] in words for start, end in spans for words in quoted)

    def _heard(self, spans: list[tuple[int, int]]) -> str:
        """The words at these places as they were written; as they are read where folding has moved them."""
        shown = self.written if len(self.written) == len(self.folded) else self.folded
        return " … ".join(shown[start:end] for start, end in spans)

    def _answer(self, verdict: VerdictWord, reason: Reason) -> Verdict:
        if verdict == "none":
            return Verdict("none", _NONE, reason)
        return Verdict(verdict, _NONE, reason, guess=self._guess())

    def _question(self) -> Verdict | None:
        mask = self.mask
        asks = mask & _QUESTION_OR_ASK
        if mask & (1 << kinds.QUESTION_START):
            first = next((token for token in self.tokens if token.kind not in (kinds.SOFT, kinds.SEPARATOR)), None)
            asks = asks or (first is not None and first.kind == kinds.QUESTION_START and first.start == 0)
        if not asks:
            if self.coded and [token.kind for token in self.tokens] == [kinds.ITEM, kinds.TOPIC]:
                return self._answer("question", Reason.QUESTION)  # "A12價錢"
            topics = _A_TOPIC
            return (
                self._answer("question", Reason.QUESTION)
                if mask and not mask & ~topics and len(self.tokens) == 1
                else None
            )
        if mask & _A_DOUBT and mask & _ACTS and not mask & _A_QUESTION:
            asked = next((place for place, token in enumerate(self.tokens) if token.kind == kinds.ASK), -1)
            if asked < 0 or any(token.kind in (kinds.DOUBT, kinds.QUANTITY) for token in self.tokens[:asked]):
                return None  # "A12 +1 if available" sets a condition; "magkano pag dalawang blouse" asks
        ranged = any(token.kind == kinds.BAD_QUANTITY and token.value == "range" for token in self.tokens)
        if ranged and self.items and not mask & 1 << kinds.ASK and "?" not in self.folded:
            return None  # "襪子兩三雙吧 看我弟腳有沒有長大"
        number = any(token.kind == kinds.NUMBER and str(token.value) in self.view.codes for token in self.tokens)
        if not mask & _ASKABLE and not (number and mask & (1 << kinds.QUESTION)):
            return self._answer("none", Reason.CHATTER)
        strange = mask & _A_UNKNOWN and not mask & (_ASKABLE & ~_WEAKLY_ASKABLE)
        if strange and not (mask & _THING_WORDS and mask & _A_QUESTION):
            return self._answer("none", Reason.CHATTER)
        if self._asks_about_another():
            return self._answer("unclear", Reason.OTHER_QUESTION)
        return self._answer("question", Reason.QUESTION)

    def _asks_about_another(self) -> bool:
        """An item that is ordered or changed, and another one beside it that is not."""
        acted: set[str] = set()
        named: set[str] = set()
        last: str | None = None
        waiting = False  # a claim or cancel word stands before its item
        for place, token in enumerate(self.tokens):
            following = self.tokens[place + 1].kind if place + 1 < len(self.tokens) else -1
            if token.kind == kinds.QUANTITY and last is None and following == kinds.ITEM:
                waiting = True  # "magkano pag dalawang blouse"
            elif token.kind == kinds.ITEM:
                owners: tuple[Item, ...] = token.value
                last = owners[0].code
                named.add(last)
                if waiting:
                    acted.add(last)
                waiting = False
            elif token.kind in (kinds.CLAIM, kinds.CANCEL) and last is None:
                waiting = True
            elif token.kind == kinds.QUANTITY and place and self.tokens[place - 1].kind == kinds.ASK:
                continue  # "苹果多少钱一箱"
            elif token.kind in (kinds.QUANTITY, kinds.LESS, kinds.CANCEL):
                acted.add(last or (self.pinned.code if self.pinned else ""))
        return bool(acted) and bool(named - acted)

    def _report(self) -> Verdict | None:
        if self.words is not self.tokens and any(word.value == "missed" for word in self.words):
            return self._answer("none", Reason.NEGATION)  # "cf A12 ไม่ทัน": too late for it
        if self.has(_A_REPORT):
            return self._answer("unclear", Reason.REPORT)
        if self.has(_A_STATE):
            if self.items or self.has(_WANTED):
                return self._answer("unclear", Reason.REPORT)
            return self._answer("none", Reason.CHATTER)
        return None

    def _negation(self) -> Verdict | None:
        if not self.has(_A_NEGATION):
            return None
        clauses = _clauses(self.tokens)
        denied = [clause for clause in clauses if any(token.kind == kinds.NEGATION for token in clause)]
        others = [clause for clause in clauses if clause not in denied]
        if any(token.kind < 60 and _ACTS >> token.kind & 1 for clause in others for token in clause):
            return self._answer("unclear", Reason.NEGATION)
        for clause in denied:
            place = next(place for place, token in enumerate(clause) if token.kind == kinds.NEGATION)
            before, after = clause[:place], clause[place + 1 :]
            told = self.items or self.has(_A_QUANTITY) or not self.has(_A_UNKNOWN)
            plain = clause[place].value == "want" and not after
            if told and not plain and any(_ORDERS >> token.kind & 1 for token in before):
                return self._answer("unclear", Reason.NEGATION)
            codes = {token.value for token in clause if token.kind == kinds.ITEM}
            if len(codes) > 1 and any(_ACTS >> token.kind & 1 for token in after):
                return self._answer("unclear", Reason.NEGATION)
        return self._answer("none", Reason.NEGATION)

    def _agreement(self) -> Verdict | None:
        if not self.has(_A_AGREE):
            return None
        if self.items or self.has(_MEANT):
            laughs = all(token.value != "echo" for token in self.tokens if token.kind == kinds.AGREE)
            told = laughs and self.has(_A_UNKNOWN)  # "2번 봤어요 ㅋㅋ"
            if not self.has(_ACTS) and (told or (self.items and not self.coded)):
                return self._answer("none", Reason.AGREEMENT)
            return self._answer("unclear", Reason.AGREEMENT)
        return self._answer("none", Reason.AGREEMENT)

    def _doubt(self) -> Verdict | None:
        if self.has(_A_ANY_MORE):
            soft = all(token.value != "doubt" for token in self.tokens if token.kind == kinds.ANY_MORE)
            told = any(
                second.kind == kinds.ANY_MORE and first.kind == kinds.CLAIM and first.end == second.start
                for first, second in pairwise(self.tokens)
            )  # "買了A12": bought already
            if (told or not soft) and (self.items or self.has(_ACTS)):
                return self._answer("unclear", Reason.DOUBT)
        if not self.has(_A_DOUBT):
            return None
        if self.coded and not self.has(_ACTS) and any(token.value == "choice" for token in self.tokens):
            return self._answer("question", Reason.QUESTION)  # "A01還是A02好": which of the two?
        chooses = self.items and self.has(_A_OPTION)  # "外套我糾結黑M還是白M"
        if self.has(_ACTS) or self.coded or self.has(_CODE_LIKE_OR_GLUED) or chooses:
            return self._answer("unclear", Reason.DOUBT)
        return self._answer("none", Reason.CHATTER)

    def _strange(self) -> Verdict | None:
        """Words nobody knows: beside a bare "+1" or in prose they make chatter, beside a code or an option a doubt."""
        mask = self.mask
        several = mask & _UNDOING or len(self.items) > 1
        if mask & _A_SOFT and several and any(token.value == "keep" for token in self.tokens):
            return self._answer("unclear", Reason.UNKNOWN_WORDS)  # "取消蘋果，草莓照舊": which is which?
        if mask & (1 << kinds.ALL) and mask & _UNDOING:
            return self._answer("unclear", Reason.CANCEL_ALL)
        if mask & (1 << kinds.LINK) and not self.items:
            return self._answer("none", Reason.CHATTER)
        bare = not self.items
        if self._is_an_order_for_all(bare):
            return self._answer("unclear", Reason.NO_ITEM)
        praised = bool(mask & _A_PRAISE) and not mask & ~_PRAISED
        if mask & _A_PRAISE and not bare and (praised or not self.coded) and not mask & _ACTS:
            return self._answer("none", Reason.CHATTER)
        if bare and mask & (1 << kinds.PRAISE):
            if mask & _ORDER_LIKE and mask & _ORDERS:
                return self._answer("unclear", Reason.UNKNOWN_WORDS)
            return self._answer("none", Reason.AGREEMENT)
        if mask & _STRANGE:
            if self._names_a_stranger():
                return self._answer("unclear", Reason.NO_ITEM)
            odd = (mask & _CODE_LIKE_OR_GLUED and mask & _ACTS) or self.tokens[0].kind == kinds.MISSPELT
            split_code = self._split_code()
            if self.coded and not mask & _ACTS and self._is_told():
                return self._answer("none", Reason.CHATTER)  # "the B7 I won in June is still going strong"
            if self.coded or odd or split_code:
                return self._answer("unclear", Reason.UNKNOWN_CODE if odd or split_code else Reason.UNKNOWN_WORDS)
            if self.items and mask & _ACTS:
                return self._answer("unclear", Reason.UNKNOWN_WORDS)
            if mask & (1 << kinds.OPTION) and mask & _ORDERS:
                return self._answer("unclear", Reason.UNKNOWN_WORDS)
            return self._answer("none", Reason.CHATTER)
        for token in self.tokens if bare and mask & _ORDERS and mask & _A_SOFT else ():
            certain = token.value == "named" or (token.value == "time" and self._follows_the_order(token))
            loose = token.value == "person" or (not certain and not mask & _CLAIM_OR_OPTION)
            if token.kind == kinds.SOFT and loose:
                counted = any(other.kind == kinds.QUANTITY and other.value[1] == "count" for other in self.tokens)
                if counted and token.value == "person":
                    return self._answer("none", Reason.CHATTER)  # "兩個小孩"
                return self._answer("unclear", Reason.DOUBT)
        if bare and mask & _A_QUANTITY and not mask & _CLAIM_OR_OPTION and self._talks_of_a_quantity():
            return self._answer("unclear", Reason.DOUBT)
        remarked = bare and mask & (1 << kinds.REMARK) and mask & _ORDERS and not mask & _CLAIM_OR_OPTION
        return self._answer("unclear", Reason.DOUBT) if remarked and self._remarks_first() else None

    def _is_told(self) -> bool:
        """Of the past, or of others."""
        told = ("past", "others")
        return not self.has(_A_OPTION) and any(it.kind == kinds.DANGER and it.value in told for it in self.words)

    def _follows_the_order(self, word: Token) -> bool:
        """ "+1 明天轉帳", but not "明天+1"."""
        acted = next(token for token in self.tokens if _ORDERS >> token.kind & 1)
        return word.start > acted.start

    def _remarks_first(self) -> bool:
        """A remark, or one with words of its own, that stands before the quantity: "送到家樓下+1"."""
        acted = next(place for place, token in enumerate(self.tokens) if _ORDERS >> token.kind & 1)
        return self.tokens[0].kind == kinds.REMARK or any(
            token.kind == kinds.REMARK and token.value == "wide" for token in self.tokens[:acted]
        )

    def _is_an_order_for_all(self, bare: bool) -> bool:
        """ "全部+1", "全都要": an order, but of what? "想要A12的+1": the host calls whoever wants one."""
        mask = self.mask
        if bare and mask & (1 << kinds.ALL) and not mask & ~_FOR_ALL:
            return bool(mask & _ORDERS) or any(token.value == "want" for token in self.tokens)
        return bool(mask & _WISHES) and calls_others(self.tokens, self.folded)

    def _talks_of_a_quantity(self) -> bool:
        """ "3件1000元" and "399元3件" may be offers, "+1 this" agrees; "+3 1000元" and "this +1" order."""
        if self.has(1 << kinds.PRICE):
            return any(token.kind == kinds.QUANTITY and token.value[1] == "count" for token in self.tokens)
        last = self.tokens[-1]
        return last.kind == kinds.THIS and self.folded.startswith("this", last.start) and len(self.tokens) == 2

    def _names_a_stranger(self) -> bool:
        """ "我要帽子", "hat 2 pcs": an order for something that the catalogue does not have, and nothing else."""
        tokens = [token for token in self.tokens if token.kind != kinds.OPTION and token.value != "soft"]
        if len(tokens) != 2:
            return False
        first, second = tokens
        stranger = first if first.kind == kinds.UNKNOWN else second
        word = self.folded[stranger.start : stranger.end]
        if stranger.kind != kinds.UNKNOWN or len(word) > _STRANGER_LENGTH_MAX:
            return False
        if first is stranger and second.kind == kinds.QUANTITY:
            return bool(second.value[1] == "count") and word[-1] not in _HAN_VERBS
        claims = (first if second is stranger else second).kind == kinds.CLAIM
        claim = first if second is stranger else second
        if not claims or claim.value != "strong":
            return False
        if second is stranger:
            compound = "\u0e00" <= word[0] <= "\u0eff" and self.folded[first.end] != " "
            return word[0] not in _HAN_VERBS and not compound
        return "가" <= word[-1] <= "힣" and word[-1] not in _KOREAN_VERB_ENDS

    def _split_code(self) -> bool:
        """ "A 01+1", "A-01+1": a single letter before a number that is followed by a quantity."""
        for place in range(len(self.tokens) - 2):
            first, second, third = self.tokens[place : place + 3]
            number = second.kind in (kinds.NUMBER, kinds.LESS)
            if first.kind == kinds.UNKNOWN and number and third.kind == kinds.QUANTITY:
                return first.end - first.start == 1 and first.end + 1 >= second.start
        return False

    def _act(self) -> Verdict:
        tokens = self._meaningful()
        mask = self.mask
        if not tokens:
            return self._answer("none", Reason.CHATTER)
        if mask & _A_GLUED:
            acts = self.items or mask & _ACTS or (len(tokens) == 1 and self._has_code_inside())
            return self._answer("unclear", Reason.GLUED) if acts else self._answer("none", Reason.CHATTER)
        if mask & _A_CODE_LIKE:
            return self._answer("unclear", Reason.UNKNOWN_CODE)
        if mask & _A_MISSPELT:
            return self._answer("unclear", Reason.MISSING_ACCENTS)
        if len(self.tokens) == 1 and tokens[0].kind == kinds.NUMBER and str(tokens[0].value) in self.view.codes:
            return self._answer("unclear", Reason.TWO_READINGS)  # a code, or one of what is shown?
        if not mask & ~(_DROPPED | _IDLE):
            return self._answer("none", Reason.CHATTER)
        if mask & _CHANGE_OR_CHANGE_TO and len(tokens) == 1:
            return self._answer("none", Reason.CHATTER)
        if len(tokens) > 1 and tokens[-1].value == "attached" and _UNDOING >> tokens[-2].kind & 1:
            tokens = tokens[:-1]  # "A12 취소해주세요 부탁드려요": the closing word asks for what was said
        try:
            if has_change(tokens):
                intents = read_changes(tokens, self.folded, self.view, self.pinned)
            else:
                last = next((token.kind for token in reversed(tokens) if token.kind != kinds.SEPARATOR), -1)
                ordered = quantities_last(tokens) if last == kinds.OPTION else tokens
                intents = OrderReader(ordered, self.folded, self.view, self.pinned).read()
        except Refused as refusal:
            return self._answer("unclear", refusal.reason)
        if all(isinstance(intent, Reserve) for intent in intents):
            return Verdict("order", intents, Reason.ORDER)
        return Verdict("change", intents, Reason.CHANGE)

    def _has_code_inside(self) -> bool:
        codes = self.view.codes
        for token in self.tokens:
            if token.kind == kinds.GLUED:
                word = str(token.value)
                # a glued run has at most 200 characters and codes at most a dozen: a bounded look
                if any(word[start : start + size] in codes for start in range(len(word)) for size in (2, 3, 4, 5)):
                    return True
        return False

    def _meaningful(self) -> list[Token]:
        """Without what the judge has found harmless; a phone number is the claim word where the pack says so."""
        if not self.mask & _DROPPED:
            return self.tokens
        kept: list[Token] = []
        phone_claims = self.view.phone_claims
        for token in self.tokens:
            if token.kind == kinds.PHONE and phone_claims:
                if self.items or self.has(_A_OPTION):
                    kept.append(Token(kinds.CLAIM, "attached", token.start, token.end))
            elif not _DROPPED >> token.kind & 1:
                kept.append(token)
        return kept

    def _guess(self) -> tuple[Intent, ...]:
        """What a moderator would most likely accept: the first item or the one on the screen, one or as written."""
        item = self.items[0] if self.items else self.pinned
        if item is None or self.has(_CHANGE):
            return ()
        amount = 1
        words: list[str] = []
        for token in self.tokens:
            if token.kind == kinds.QUANTITY:
                amount = token.value[0]
            elif token.kind == kinds.NUMBER and str(token.value) not in self.view.codes:
                amount = quantity_of(token) or amount
            elif token.kind == kinds.OPTION and item.choices.get(str(token.value)) is not None:
                words.append(str(token.value))
        try:
            return (Reserve(item.code, choose(item, words), amount),)
        except Refused:
            return (Reserve(item.code, (), amount),)


def _quantity_next(tokens: list[Token], place: int) -> bool:
    """Whether the number at `place` is followed by a quantity, options between them allowed: then it is a code."""
    for token in tokens[place + 1 :]:
        if token.kind in (kinds.QUANTITY, kinds.LESS, kinds.CANCEL):
            return True
        if token.kind != kinds.OPTION:
            return False
    return False


def _clauses(tokens: list[Token]) -> list[list[Token]]:
    found: list[list[Token]] = [[]]
    for token in tokens:
        if token.kind == kinds.SEPARATOR:
            found.append([])
        else:
            found[-1].append(token)
    return [clause for clause in found if clause]
