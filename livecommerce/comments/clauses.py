"""Strong orders and changes: what names its item and says how much stands whatever the words around it are.

A comment is a few clauses. A *core* is a run of words of the order's own language: an item, its options, a quantity or
a claim word, a word of change. Words that nobody listed may stand around a core; what may not is a danger in its
clause, or about it from another one. Pure; called only where the words around it kept a comment from being an order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from livecommerce.comments import kinds
from livecommerce.comments.catalogue import Item, View
from livecommerce.comments.changes import has_change, read_changes
from livecommerce.comments.kinds import Token, bits
from livecommerce.comments.orders import OrderReader, Refused
from livecommerce.comments.verdict import Intent

_CORE: Final = bits(
    kinds.ITEM, kinds.OPTION, kinds.QUANTITY, kinds.LESS, kinds.NUMBER, kinds.WORD_NUMBER, kinds.CLAIM, kinds.CANCEL,
    kinds.CHANGE, kinds.CHANGE_TO, kinds.TO, kinds.EVERY_VALUE, kinds.AND, kinds.SEPARATOR, kinds.THIS, kinds.OBJECT,
)  # fmt: skip
_CHANGING: Final = bits(kinds.CANCEL, kinds.CHANGE, kinds.CHANGE_TO, kinds.LESS)
_VERBS: Final = bits(kinds.CANCEL, kinds.CHANGE, kinds.CHANGE_TO)
_AMOUNT: Final = bits(kinds.QUANTITY, kinds.LESS)
_LINKS: Final = bits(kinds.AND, kinds.SEPARATOR, kinds.THIS, kinds.TO, kinds.OBJECT, kinds.CLAIM, kinds.WORD_NUMBER)
_NEVER: Final = bits(
    kinds.QUESTION, kinds.ASK, kinds.BAD_QUANTITY, kinds.BAD_NUMBER, kinds.CODE_LIKE, kinds.GLUED, kinds.MISSPELT,
)  # fmt: skip
# What a negation may have for an object of its own: "不在家", "not home", "不要黑的".
_OBJECT_OF_ITS_OWN: Final = bits(kinds.UNKNOWN, kinds.SOFT, kinds.REMARK, kinds.PROSE, kinds.TOPIC, kinds.PRAISE)
# Between clauses stands more than a blank, a quote or a joint: a full stop, an exclamation mark, a picture.
_BREAK: Final = re.compile("[^\\w\\s'’\"()\u0300-\u036f\u0e31-\u0e4e-]|--")
_POLITE_END: Final = re.compile("이?요|입니다|이에요|예요")
# A Korean sentence ends in its verb: "겨우 들어왔네요 A1 주문할게요", "1번이요 색깔이 …".
_SENTENCE_END: Final = re.compile("(?:[요죠네까]|니다|[았었였했]다|[ㅋㅎㅠㅜ])[ㅋㅎㅠㅜ~]* *$")
_SPACELESS: Final = re.compile(r"[\u3400-\u9fff\u0e00-\u0eff]\s|\s[\u3400-\u9fff\u0e00-\u0eff]")


class Place(NamedTuple):
    """Where a word stands: the clause by signs and joining words, the stretch by blanks (scripts without spaces)."""

    clause: int
    stretch: int


class Core(NamedTuple):
    """Words of an order side by side; `first` and `last` are positions in the comment's tokens."""

    tokens: list[Token]
    first: int
    last: int
    mask: int


def places_of(tokens: Sequence[Token], text: str) -> list[Place]:
    """The clause and the stretch of each token."""
    found: list[Place] = []
    clause = stretch = 0
    before = None
    for token in tokens:
        gap = text[before.end : token.start] if before is not None else ""
        if before is not None:
            if before.kind == kinds.SEPARATOR or _joins(before) or _joins(token) or _BREAK.search(gap):
                clause += 1
                stretch += 1
            elif _SENTENCE_END.search(text[before.start : token.start]):
                clause += 1
                stretch += 1
            elif _SPACELESS.search(text, before.end - 1, token.start + 1):
                stretch += 1
        found.append(Place(clause, stretch))
        before = token
    return found


def _joins(token: Token) -> bool:
    return token.kind == kinds.DOUBT and token.value in ("joins", "but")


def prepared(tokens: list[Token], text: str) -> list[Token]:
    """Pairs of words that are one word of change: "不要A01了" cancels, "빨강 말고 핑크로" exchanges."""
    changes = any(token.kind in (kinds.CHANGE, kinds.CHANGE_TO) for token in tokens)
    found: list[Token] = []
    for position, token in enumerate(tokens):
        before = found[-1] if found else None
        if token.kind == kinds.NEGATION and token.value == "not that" and changes:
            token = Token(kinds.OBJECT, None, token.start, token.end)
        elif token.kind == kinds.CHANGE and before is not None and before.kind == kinds.SEPARATOR and _cancelled(found):
            token = Token(kinds.CLAIM, "attached", token.start, token.end)  # "取消A12，改買B02+2"
        elif token.kind == kinds.NEGATION and token.value == "want" and _ends_in_any_more(tokens, position):
            token = Token(kinds.CANCEL, None, token.start, token.end)
        elif token.kind == kinds.ANY_MORE and _closes_a_refusal(found):
            continue
        elif token.kind == kinds.CANCEL and before is not None and before.kind == kinds.CANCEL:
            continue  # "이제 안 살래요 취소 부탁드립니다"
        elif token.kind == kinds.QUESTION and token.value == "denies" and _denies(found):
            continue  # "không lấy A12 đâu"
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


def _cancelled(found: list[Token]) -> bool:
    return any(token.kind == kinds.CANCEL for token in found)


def _denies(found: list[Token]) -> bool:
    return any(token.kind in (kinds.NEGATION, kinds.CANCEL) for token in found)


class StrongReader:
    """Reads one comment's strong orders and changes. Call `read` once."""

    __slots__ = ("calls", "cores", "pinned", "places", "strong", "text", "tokens", "view")

    def __init__(self, tokens: list[Token], text: str, view: View, pinned: Item | None) -> None:
        self.calls = any(token.kind == kinds.WEAK_CLAIM for token in tokens)  # a wish was said: "想要"
        self.tokens = prepared([token for token in tokens if token.kind != kinds.WEAK_CLAIM], text)
        self.text = text
        self.view = view
        self.pinned = pinned
        self.places = places_of(self.tokens, text)
        self.cores: list[Core] = []
        self.strong: list[Core] = []

    def read(self) -> tuple[Intent, ...]:
        """The intents, none where no strong form stands or something speaks against it."""
        self._find_cores()
        self.strong = [core for core in self.cores if self._is_strong(core)]
        if not self.strong or self._is_endangered() or not all(map(self._may_stand_beside, self.cores)):
            return ()
        body: list[Token] = []
        for core in self.strong:
            body.extend(core.tokens)
            body.append(Token(kinds.SEPARATOR, ",", core.tokens[-1].end, core.tokens[-1].end))
        body.pop()
        try:
            if has_change(body):
                return read_changes(body, self.text, self.view, self.pinned)
            return OrderReader(body, self.text, self.view, self.pinned).read()
        except Refused:
            return ()

    def _find_cores(self) -> None:
        run: list[int] = []
        for position, token in enumerate(self.tokens):
            if run and (token.kind == kinds.ALL or (token.kind == kinds.SOFT and token.value is None)):
                continue  # "A12跟B02都取消", "草莓多一盒"; ALL beside an order is a danger
            if self._is_denied(position):
                continue
            apart = run and self._are_apart(run[-1], position)
            if not _CORE >> token.kind & 1 or apart:
                self._keep_core(run)
                run = []
            if _CORE >> token.kind & 1:
                run.append(position)
        self._keep_core(run)

    def _is_denied(self, position: int) -> bool:
        """ "不要黑的 要白色M+1", "no bag for me, just the blouse x1"."""
        token = self.tokens[position]
        if not position or self.tokens[position - 1].kind != kinds.NEGATION:
            return False
        if self.tokens[position - 1].value == "not that":
            return False  # its object stands before it
        if token.kind == kinds.ITEM and position + 1 < len(self.tokens):
            return self.tokens[position + 1].kind == kinds.SEPARATOR
        return token.kind == kinds.OPTION

    def _are_apart(self, before: int, position: int) -> bool:
        """A full stop or a joining word parts two cores; a comma does not: "粉+1，白+2"."""
        if self.places[before].clause == self.places[position].clause:
            return False
        following = self.tokens[position + 1].kind if position + 1 < len(self.tokens) else -1
        if self.tokens[position].kind == kinds.QUANTITY and following in (kinds.ITEM, kinds.OPTION):
            return True  # "B02来俩，再来一件洋装"
        return self.tokens[before].kind != kinds.SEPARATOR and self.tokens[position].kind != kinds.SEPARATOR

    def _keep_core(self, run: list[int]) -> None:
        while run and self.tokens[run[0]].kind in (kinds.SEPARATOR, kinds.AND):
            run = run[1:]
        while run and self.tokens[run[-1]].kind in (kinds.SEPARATOR, kinds.AND):
            run = run[:-1]
        if not run:
            return
        commas = [place for place, position in enumerate(run) if self.tokens[position].kind == kinds.SEPARATOR]
        if commas and (self._is_kept_run(run) or self._is_a_remark(run[: commas[-1]], run[commas[-1] :])):
            self._keep_core(run[: commas[-1]])  # "B7 x3, two are …", "取消蘋果，草莓照舊"
            self._keep_core(run[commas[-1] :])
            return
        if commas and self._says_nothing(run[: commas[0]], head=True):
            self._keep_core(run[: commas[0]])  # "hẻm 7, cho em A1 …"
            self._keep_core(run[commas[0] :])
            return
        if self._counts_something_else(run):
            self._keep_core(run[:1])
            run = run[1:]
        tokens = [self.tokens[position] for position in run]
        if len(run) > 1 and tokens[-1].value == "attached" and _VERBS >> tokens[-2].kind & 1:
            tokens.pop()  # "가방 취소 부탁드려요 …": the closing word asks for what was said
        ordered = quantities_last(tokens)
        mask = 0
        for token in tokens:
            mask |= 1 << token.kind
        self.cores.append(Core(ordered, run[0], run[-1], mask))

    def _says_nothing(self, run: list[int], *, head: bool = False) -> bool:
        """A piece between commas without an act of its own; in front, an item or an option begins an order."""
        sorts = {self.tokens[position].kind for position in run}
        if head and sorts & {kinds.ITEM, kinds.OPTION}:
            return False
        acts = {kinds.LESS, kinds.CLAIM, kinds.CANCEL, kinds.CHANGE, kinds.CHANGE_TO, kinds.EVERY_VALUE}
        if sorts & acts:
            return False
        if kinds.QUANTITY not in sorts:
            return True
        counts = all(self.tokens[at].value[1] == "count" for at in run if self.tokens[at].kind == kinds.QUANTITY)
        return counts and not sorts & {kinds.ITEM, kinds.OPTION}

    def _is_a_remark(self, said: list[int], rest: list[int]) -> bool:
        """A last piece without an act, where what goes before it is complete: "A1 đỏ L, 1 cái" is one order."""
        whole = any((_AMOUNT | _VERBS) >> self.tokens[position].kind & 1 for position in said)
        counts = any(self.tokens[position].kind == kinds.QUANTITY for position in rest)
        return self._says_nothing(rest) and (whole or not counts)

    def _is_kept_run(self, run: list[int]) -> bool:
        following = run[-1] + 1
        return following < len(self.tokens) and self.tokens[following].value == "keep"

    def _counts_something_else(self, run: list[int]) -> bool:
        """ "室友一人一条 A02黑+2灰+1": a count in a stretch of its own before an item that has its quantity."""
        if len(run) < 3 or self.tokens[run[0]].kind != kinds.QUANTITY or self.tokens[run[1]].kind != kinds.ITEM:
            return False
        quantities = sum(self.tokens[position].kind == kinds.QUANTITY for position in run)
        return quantities > 1 and self.places[run[0]].stretch != self.places[run[1]].stretch

    def _is_strong(self, core: Core) -> bool:
        if not core.mask & (_AMOUNT | _CHANGING | 1 << kinds.CLAIM):
            return False
        coded = named = False
        for place, token in enumerate(core.tokens):
            if token.kind == kinds.ITEM:
                named = True
                coded = coded or self._is_code(token)
            elif token.kind == kinds.NUMBER and str(token.value) in self.view.codes:
                claimed = place > 0 and core.tokens[place - 1].kind == kinds.CLAIM
                named = coded = named or claimed or bool(core.mask & (_AMOUNT | _VERBS))
        if not named:
            return self._fills_the_pinned(core) or self._cancels_the_last(core)
        if self._is_part_of_more(core) or self._is_embedded(core) or self._ends_in_a_verb(core):
            return False
        if self._calls_others(core):
            return False
        if core.mask & _CHANGING:
            return True
        if not coded:
            return self._counts_a_name(core)
        return bool(core.mask & _AMOUNT) or not (self._goes_on(core) or self._is_within_prose(core))

    def _is_embedded(self, core: Core) -> bool:
        """ "打8折我就B02+1", "再喊A12兩件": words that nobody knows touch the order and may govern it."""
        before = self.tokens[core.first - 1] if core.first else None
        first = self.tokens[core.first]
        if before is None or before.kind != kinds.UNKNOWN or before.end != first.start or core.mask & _CHANGING:
            return False
        told = any(token.value in ("person", "named") for token in self.tokens[: core.first])
        return not (told and first.kind == kinds.CLAIM)  # "我女兒說她要粉色外套S +1"

    def _calls_others(self, core: Core) -> bool:
        """ "想要A12的+1", "包包好看的+1": whoever wants one, or finds it fine, is called."""
        return any(
            token.kind == kinds.QUANTITY and self.text[max(token.start - 2, 0) : token.start].rstrip().endswith("的")
            for token in core.tokens
        ) and (self.calls or any(token.kind == kinds.PRAISE for token in self.tokens))

    def _ends_in_a_verb(self, core: Core) -> bool:
        """Korean says at the end what is meant: "B7 두 개 중에 …", "A12 하나만 더 보여주세요", but "3개요 …"."""
        last = core.tokens[-1]
        following = core.last + 1
        if last.kind != kinds.QUANTITY or last.value[1] != "count" or core.mask & (_CHANGING | 1 << kinds.CLAIM):
            return False
        if not self._in_one_stretch(following):
            return False
        word = self.tokens[following]
        if word.kind not in (kinds.UNKNOWN, kinds.DANGER) or not "가" <= self.text[word.start] <= "힣":
            return False
        return not _POLITE_END.match(self.text, last.end)

    def _is_within_prose(self, core: Core) -> bool:
        """ "everyone's yelling sold B7": a claim word that does not begin its clause tells rather than claims."""
        return any(
            self.tokens[position].kind in (kinds.UNKNOWN, kinds.PROSE, kinds.TOPIC)
            and self.places[position].stretch == self.places[core.first].stretch
            for position in range(core.first)
        )

    def _is_code(self, item: Token) -> bool:
        return self.text[item.start : item.end].startswith(item.value[0].folded)

    def _fills_the_pinned(self, core: Core) -> bool:
        """ "媽媽的份 黑L+1": all the options of the item on the screen; one alone is a remark as often."""
        if self.pinned is None or not core.mask & 1 << kinds.QUANTITY:
            return False
        choices = [self.pinned.choices.get(str(token.value)) for token in core.tokens if token.kind == kinds.OPTION]
        axes = {choice[0] for choice in choices if choice is not None}
        return None not in choices and len(axes) == len(self.pinned.axes) > 1

    def _cancels_the_last(self, core: Core) -> bool:
        """ "剛剛那個不要了", "방금 주문한 거 취소해주세요": a word of cancelling and nothing else acts in the comment."""
        sorts = {token.kind for token in core.tokens}
        if any(token.kind == kinds.ALL for token in self.tokens):
            return False  # "全部取消": of how many?
        if kinds.CANCEL not in sorts or not sorts <= {kinds.CANCEL, kinds.THIS, kinds.CLAIM}:
            return False
        alone = not any(other.mask & (_AMOUNT | _CHANGING) for other in self.cores if other is not core)
        stretch = self.places[core.first].stretch
        strangers = (kinds.UNKNOWN, kinds.TOPIC, kinds.PROSE)
        return alone and not any(
            token.kind in strangers and self.places[position].stretch == stretch
            for position, token in enumerate(self.tokens)
        )

    def _counts_a_name(self, core: Core) -> bool:
        """A name beside a claim word, or counted before it, may be prose: "I'll take my bag", "我有兩件外套"."""
        item = next(place for place, token in enumerate(core.tokens) if token.kind == kinds.ITEM)
        before = self.tokens[core.first - 1] if core.first else None
        asked = core.tokens[-1].kind == kinds.CLAIM and len(core.tokens) > 1  # "블라우스 두 장 부탁드려요"
        strange = before is not None and before.kind in (kinds.UNKNOWN, kinds.TOPIC)
        if strange and not asked and self._in_one_stretch(core.first):
            return False  # "big bag +1"
        if self._is_a_whole_clause(core):
            return True
        claimed = any(token.kind == kinds.CLAIM for token in core.tokens[:item])
        return (
            claimed
            and bool(core.mask & _AMOUNT)
            or any(token.kind == kinds.QUANTITY for token in core.tokens[item + 1 :])
        )

    def _is_a_whole_clause(self, core: Core) -> bool:
        """ "我要帆布包，…", "再來一件洋裝，…": nothing else is said in its clause."""
        clause = self.places[core.first].clause
        return all(
            core.first <= position <= core.last or token.kind in (kinds.SEPARATOR, kinds.SOFT, kinds.AND)
            for position, token in enumerate(self.tokens)
            if self.places[position].clause == clause
        )

    def _in_one_stretch(self, position: int) -> bool:
        """Whether the word and the one before it belong together."""
        return 0 < position < len(self.tokens) and self.places[position].stretch == self.places[position - 1].stretch

    def _goes_on(self, core: Core) -> bool:
        """ "CF A12 3 แผง", "chốt A1 do", "chốt A12 2-3 cái": what follows the claimed code may be its quantity or option."""
        following = core.last + 1
        if following >= len(self.tokens) or self.places[following].clause != self.places[core.last].clause:
            return False
        kind = self.tokens[following].kind
        last = core.tokens[-1]
        if kind == kinds.UNKNOWN and last.kind in (kinds.NUMBER, kinds.WORD_NUMBER):
            return True
        if not self._in_one_stretch(following):
            return False
        if kind == kinds.PROSE:
            return True
        has_axes = any(token.value[0].axes for token in core.tokens if token.kind == kinds.ITEM)
        return kind == kinds.UNKNOWN and has_axes

    def _is_part_of_more(self, core: Core) -> bool:
        """ "草莓大福+1", "F1賽車+1", "A12+1樓": a name, a code or a quantity goes on into a word that nobody knows."""
        for position in range(core.first, core.last + 1):
            token = self.tokens[position]
            after = self.tokens[position + 1] if position + 1 < len(self.tokens) else None
            before = self.tokens[position - 1] if position else None
            odd = bits(kinds.UNKNOWN, kinds.PROSE, kinds.DANGER)
            goes_on = after is not None and odd >> after.kind & 1 and after.start == token.end
            if token.kind in (kinds.ITEM, kinds.QUANTITY, kinds.LESS) and goes_on:
                return True
            begins = before is not None and odd >> before.kind & 1 and before.end == token.start
            if token.kind == kinds.ITEM and begins and not self._is_code(token):
                return True
        return False

    def _is_endangered(self) -> bool:
        clauses = {self.places[at].clause for core in self.strong for at in range(core.first, core.last + 1)}
        stretches = {self.places[at].stretch for core in self.strong for at in range(core.first, core.last + 1)}
        first = min(core.first for core in self.strong)
        changes = all(core.mask & _CHANGING for core in self.strong)
        for position, token in enumerate(self.tokens):
            if _CORE >> token.kind & 1:
                continue
            place = self.places[position]
            near = place.stretch in stretches
            beside = place.clause in clauses
            if self._is_danger(position, near=near, beside=beside, before=position < first, changes=changes):
                return True
        return False

    def _is_danger(self, position: int, *, near: bool, beside: bool, before: bool, changes: bool) -> bool:
        """Whether this word speaks against the strong forms.

        Args:
            near: it stands in the stretch of one.
            beside: it stands in the clause of one.
            before: it stands before all of them.
            changes: all of them change or cancel what was ordered.
        """
        token = self.tokens[position]
        kind, value = token.kind, token.value
        if _NEVER >> kind & 1:
            return not (changes and not near and kind == kinds.QUESTION and value is None)
        if changes and not near and not (kind == kinds.DOUBT and value == "if"):
            return False  # the reason: "草莓取消喔 家裡還有", "A12 cancel, my sister bought one already"
        if not near and value != "if" and kind in (kinds.DOUBT, kinds.DANGER) and self._is_of_delivery(position):
            return False  # "A12一件，跟早上那箱併在一起"
        if kind == kinds.NEGATION and value == "not that" and self._has_its_own_object(position):
            return False  # "빨강은 말고 초록 원피스 L 하나요"
        if kind == kinds.NEGATION:
            return near or not self._has_its_own_object(position)
        if kind == kinds.DOUBT:
            if value == "joins":
                return False
            if value == "earlier":
                return not changes and (near or not (before or self._has_words_of_its_own(position)))
            if value == "story":
                return near or not before
            if value == "when":
                return near or before
            if value == "but":
                return not before and not self._goes_on_about_delivery(position)
            return not (value == "soft" and changes)
        if kind == kinds.REPORT and value == "oops":
            return any(other.kind in (kinds.QUANTITY, kinds.OPTION) for other in self.tokens[position:])
        if kind == kinds.REPORT:
            return not (changes and value == "mistake")
        if kind == kinds.STATE:
            return near or not before
        if kind == kinds.AGREE:
            return value == "echo"
        if kind == kinds.ALL:
            return near and not changes
        if kind == kinds.ANY_MORE:
            return beside and value == "doubt"
        if kind == kinds.TOPIC:
            return near and value == "matter"
        if kind == kinds.UNKNOWN:
            return near and value == "measure"
        if kind == kinds.DANGER:
            if value == "pronoun":  # "他A12+1", but "我女兒說她要A12+1"
                return not any(other.value in ("person", "named") for other in self.tokens[:position])
            return self._is_named_danger(str(value), near=near, beside=beside, before=before, changes=changes)
        return False

    def _goes_on_about_delivery(self, position: int) -> bool:
        """ "A12+1 不過下週才匯款": what follows "but" is of payment or delivery and denies nothing."""
        following = self.tokens[position + 1 :]
        return any(token.kind == kinds.REMARK for token in following) and not any(
            token.kind in (kinds.NEGATION, kinds.DOUBT) for token in following
        )

    def _is_named_danger(self, value: str, *, near: bool, beside: bool, before: bool, changes: bool) -> bool:
        if value == "past":
            return not changes and (near or not before)
        if value == "compare":
            return beside
        if value == "others" and before and not beside:
            return False  # "my husband finally said yes! B7 +1"
        if value in ("host", "game", "hypothetical") and not before and not near:
            return False  # an address: "ship Hải Phòng", "room 12B"
        return True

    def _is_of_delivery(self, position: int) -> bool:
        stretch = self.places[position].stretch
        return any(
            token.kind == kinds.REMARK and self.places[at].stretch == stretch for at, token in enumerate(self.tokens)
        )

    def _has_words_of_its_own(self, position: int) -> bool:
        stretch = self.places[position].stretch
        return any(
            token.kind in (kinds.UNKNOWN, kinds.PROSE) and self.places[at].stretch == stretch
            for at, token in enumerate(self.tokens)
        )

    def _has_its_own_object(self, position: int) -> bool:
        """ "老公不在家 A12+1", "不要黑的 要白色M+1": it denies something else."""
        wanted = {str(token.value) for core in self.strong for token in core.tokens if token.kind == kinds.OPTION}
        if self._in_one_stretch(position) and self.tokens[position - 1].kind == kinds.OPTION:
            return str(self.tokens[position - 1].value) not in wanted  # "灰的不要喔，A02 黑+2"
        if not self._in_one_stretch(position + 1):
            return False
        following = self.tokens[position + 1]
        if following.kind == kinds.ITEM:
            items = [token.value[0] for core in self.strong for token in core.tokens if token.kind == kinds.ITEM]
            return self._is_denied(position + 1) and following.value[0] not in items
        if following.kind == kinds.OPTION:
            return position < self.strong[0].first and str(following.value) not in wanted
        return bool(_OBJECT_OF_ITS_OWN >> following.kind & 1)

    def _may_stand_beside(self, core: Core) -> bool:
        """A core that is not strong must say nothing: another item, an option of ours or a sign make it a doubt."""
        if core in self.strong:
            return True
        items = {id(token.value[0]) for strong in self.strong for token in strong.tokens if token.kind == kinds.ITEM}
        wanted = {str(token.value) for strong in self.strong for token in strong.tokens if token.kind == kinds.OPTION}
        for place, token in enumerate(core.tokens):
            if token.kind == kinds.ITEM:
                if id(token.value[0]) not in items and not self._is_kept(core):
                    return False
            elif token.kind == kinds.QUANTITY:
                if token.value[1] not in ("count", "each"):
                    return False
            elif token.kind == kinds.NUMBER:
                if str(token.value) in self.view.codes:
                    return False
            elif token.kind == kinds.OPTION:
                if str(token.value) not in wanted and self._is_an_option_of_ours(str(token.value), core, place):
                    return False
            elif not _LINKS >> token.kind & 1:
                return False
        return True

    def _is_kept(self, core: Core) -> bool:
        """ "黑色留著", "蘋果不動"."""
        return core.last + 1 < len(self.tokens) and self.tokens[core.last + 1].value == "keep"

    def _is_an_option_of_ours(self, word: str, core: Core, place: int) -> bool:
        if place == 0 and core.first and self.tokens[core.first - 1].kind == kinds.NEGATION:
            return False  # "不要黑的"
        if self._is_kept(core):
            return False
        following = self.tokens[core.last + 1].kind if core.last + 1 < len(self.tokens) else -1
        apart = all(self.places[core.first].clause != self.places[strong.first].clause for strong in self.strong)
        if following == kinds.NEGATION or (apart and all(strong.mask & _CHANGING for strong in self.strong)):
            return False  # "灰的不要喔，A02 黑+2", "swap A1 red for A1 pink, red washes me out"
        owners = [token.value[0] for strong in self.strong for token in strong.tokens if token.kind == kinds.ITEM]
        if not owners and self.pinned is not None:
            owners = [self.pinned]
        return any(owner.choices.get(word) is not None for owner in owners)


def quantities_last(tokens: list[Token]) -> list[Token]:
    """ "一件黑M 一件白L" as "黑M一件 白L一件"; the same list where quantities stand behind what they count already."""
    body = [token for token in tokens if token.kind not in (kinds.SEPARATOR, kinds.AND)]
    counts = [place for place, token in enumerate(body) if token.kind == kinds.QUANTITY]
    if counts == [0] and len(body) > 1 and all(token.kind in (kinds.OPTION, kinds.ITEM) for token in body[1:]):
        return [*body[1:], body[0]]
    if len(counts) < 2 or body[-1].kind == kinds.QUANTITY:
        return tokens
    head = body[: counts[0]]
    if any(token.kind != kinds.ITEM and token.kind != kinds.CLAIM for token in head):
        return tokens
    groups = [body[start + 1 : end] for start, end in pairwise([*counts, len(body)])]
    if not all(group and all(token.kind in (kinds.OPTION, kinds.ITEM) for token in group) for group in groups):
        return tokens
    moved = list(head)
    for start, group in zip(counts, groups, strict=True):
        moved.extend([*group, body[start]])
    return moved


def strong_intents(tokens: list[Token], text: str, view: View, pinned: Item | None) -> tuple[Intent, ...]:
    """Intents of the strong orders and changes in a comment, none where there is none or where one is in danger.

    Args:
        tokens: the bound words.
        text: the folded and masked comment.
    """
    return StrongReader(tokens, text, view, pinned).read()
