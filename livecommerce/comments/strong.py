"""Strong orders and changes: what names its item and says how much stands whatever the words around it are.

Words that nobody listed may stand around a core (see cores.py); what may not is a danger in its clause, or about it
from another one (see dangers.py). Pure; called only where the words around it kept a comment from being an order.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from livecommerce.comments import kinds
from livecommerce.comments.catalogue import Item, View
from livecommerce.comments.changes import has_change, read_changes
from livecommerce.comments.clauses import Words, calls_others
from livecommerce.comments.cores import AMOUNT, CHANGING, VERBS, Core, CoreFinder
from livecommerce.comments.dangers import Dangers
from livecommerce.comments.kinds import Token, bits
from livecommerce.comments.orders import OrderReader, Refused
from livecommerce.comments.verdict import Intent

_LINKS: Final = bits(kinds.AND, kinds.SEPARATOR, kinds.THIS, kinds.TO, kinds.OBJECT, kinds.CLAIM, kinds.WORD_NUMBER)
_ODD: Final = bits(kinds.UNKNOWN, kinds.PROSE, kinds.DANGER, kinds.TOPIC)
_WEAK: Final = bits(kinds.CLAIM, kinds.QUANTITY, kinds.OPTION, kinds.SEPARATOR)
_SAYS_MORE: Final = bits(
    kinds.AGREE, kinds.PRAISE, kinds.NEGATION, kinds.QUESTION, kinds.ASK, kinds.STATE, kinds.REPORT, kinds.DANGER,
    kinds.DOUBT, kinds.ALL, kinds.PROSE, kinds.CODE_LIKE, kinds.NUMBER, kinds.LINK, kinds.THIS,
)  # fmt: skip
# Between an item and a change of it these say something else of it.
_SPEAKS: Final = bits(kinds.PRAISE, kinds.NEGATION, kinds.QUESTION, kinds.ASK, kinds.AGREE, kinds.CLAIM, kinds.NUMBER)
_TELLING: Final = bits(kinds.UNKNOWN, kinds.PROSE, kinds.THIS, kinds.CLAIM, kinds.DANGER, kinds.TOPIC)
_PROSE: Final = bits(kinds.UNKNOWN, kinds.PROSE, kinds.TOPIC)
_POLITE_END: Final = re.compile("이?요|입니다|이에요|예요")
_WHO_DOES: Final = re.compile("的[人那是位]")
_PARTICLE: Final = re.compile("[에가는은를을의](?![가-힣])")  # "가방 2개에 598이면": a count within a sentence
# A future ends its verb in ㄹ: 입을, 쓸; the final consonant of a syllable is its number from 가, modulo 28.
_HANGUL_FIRST, _HANGUL_FINALS, _FINAL_L = 0xAC00, 28, 8
_INTENDS: Final = re.compile("([가-힣]) ?(?:거예요|거에요|거예용|려구요|려고요)[ㅋㅎ~ ]*$")
TOKENS_MAX: Final = 64  # words of one comment; two hundred characters of more are a wall of signs, and cost the most


class StrongReader:
    """Reads one comment's strong orders and changes. Call `read` once."""

    __slots__ = ("cores", "pinned", "places", "strong", "text", "tokens", "view", "words")

    def __init__(self, words: Words, view: View, pinned: Item | None) -> None:
        if view.phone_claims:  # "A1 hồng S 0912345678 Lan"
            words.claim_by_phone()
        self.words = words
        self.tokens, self.places, self.text = words.tokens, words.places, words.text
        self.view = view
        self.pinned = pinned
        self.cores: list[Core] = []
        self.strong: list[Core] = []

    def read(self) -> tuple[Intent, ...]:
        """The intents, none where no strong form stands or something speaks against it."""
        self.cores = CoreFinder(self.words).find()
        self._join_the_change()
        self.strong = [core for core in self.cores if self._is_strong(core)]
        if not self.strong or Dangers(self.words, self.strong).are_there():
            return ()
        if not all(map(self._may_stand_beside, self.cores)):
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

    def _join_the_change(self) -> None:
        """ "草莓的部分麻煩幫我取消一下", "A12我剛剛喊太快，改成一件就好": an item and its change."""
        named = [core for core in self.cores if any(token.kind == kinds.ITEM for token in core.tokens)]
        acting = [core for core in self.cores if core.mask & (AMOUNT | CHANGING)]
        if len(named) != 1 or len(acting) != 1 or named[0].first > acting[0].first:
            return
        item, act = named[0], acting[0]
        sets = act.mask & bits(kinds.CHANGE_TO) and act.mask & bits(kinds.QUANTITY, kinds.OPTION)
        if not (sets or act.mask & bits(kinds.CANCEL, kinds.LESS)) or item.mask & (AMOUNT | CHANGING):
            return
        between = self.tokens[item.last + 1 : act.first]
        if any(_SPEAKS >> token.kind & 1 for token in between) or any(token.kind == kinds.THIS for token in act.tokens):
            return
        mask = item.mask | act.mask
        joined = Core([*item.tokens, *act.tokens], item.first, act.last, mask)
        self.cores = [joined, *(core for core in self.cores if core not in (item, act))]

    def _is_strong(self, core: Core) -> bool:
        if not core.mask & (AMOUNT | CHANGING | 1 << kinds.CLAIM):
            return False
        coded = named = False
        for place, token in enumerate(core.tokens):
            if token.kind == kinds.ITEM:
                named = True
                coded = coded or self.words.is_code(token)
            elif token.kind == kinds.NUMBER and str(token.value) in self.view.codes:
                claimed = place > 0 and core.tokens[place - 1].kind == kinds.CLAIM
                named = coded = named or claimed or bool(core.mask & (AMOUNT | VERBS))
        if not named:
            return self._fills_the_pinned(core) or self._cancels_the_last(core) or self._is_remarked(core)
        if self._is_part_of_more(core) or self._is_embedded(core) or self._ends_in_a_verb(core):
            return False
        if self._calls_others(core):
            return False
        if core.mask & CHANGING:
            return True
        if not coded:
            return self._counts_a_name(core)
        return bool(core.mask & AMOUNT) or not (self._goes_on(core) or self._is_within_prose(core))

    def _is_embedded(self, core: Core) -> bool:
        """ "打8折我就B02+1", "再喊A12兩件": words that nobody knows touch the order and may govern it."""
        before = self.tokens[core.first - 1] if core.first else None
        first = self.tokens[core.first]
        if before is None or before.kind != kinds.UNKNOWN or before.end != first.start:
            return False
        told = any(token.value in ("person", "named") for token in self.tokens[: core.first])
        return not (told and first.kind == kinds.CLAIM)  # "我女兒說她要粉色外套S +1"

    def _calls_others(self, core: Core) -> bool:
        """Whoever wants one, or finds it fine, is called."""
        wished = self.words.has_wish or any(token.kind == kinds.PRAISE for token in self.tokens)
        return wished and calls_others(core.tokens, self.text)

    def _ends_in_a_verb(self, core: Core) -> bool:
        """Korean says at the end what is meant: "B7 두 개 중에 …", "A12 하나만 더 보여주세요", but "3개요 …"."""
        last = core.tokens[-1]
        following = core.last + 1
        if last.kind == kinds.QUANTITY and _PARTICLE.match(self.text, last.end):
            return True
        if last.kind != kinds.QUANTITY or last.value[1] != "count" or core.mask & (CHANGING | 1 << kinds.CLAIM):
            return False
        if not self.words.in_one_stretch(following):
            return False
        word = self.tokens[following]
        if word.kind not in (kinds.UNKNOWN, kinds.DANGER) or not "가" <= self.text[word.start] <= "힣":
            return False
        if self.words.stretch_has(following, bits(kinds.REMARK)) or self._asks_behind(following):
            return False
        intends = _INTENDS.search(self.text, last.end)
        if intends is not None and (ord(intends[1]) - _HANGUL_FIRST) % _HANGUL_FINALS == _FINAL_L:
            return False  # "2개 헬스장에서 입을 거예요"  # "A12 두 장 어제 산 거랑 합배송이요"
        return not _POLITE_END.match(self.text, last.end)

    def _asks_behind(self, position: int) -> bool:
        """ "복숭아 2상자 문 앞에 놔주세요": the stretch ends in a word that asks."""
        last = position
        while self.words.in_one_stretch(last + 1):
            last += 1
        return self.tokens[last].kind == kinds.CLAIM and last > position

    def _is_within_prose(self, core: Core) -> bool:
        """ "everyone's yelling sold B7": a claim word that does not begin its clause tells rather than claims."""
        return any(
            self.tokens[position].kind in (kinds.UNKNOWN, kinds.PROSE, kinds.TOPIC)
            and self.places[position].stretch == self.places[core.first].stretch
            for position in range(core.first)
        )

    def _fills_the_pinned(self, core: Core) -> bool:
        """ "媽媽的份 黑L+1", "đổi M qua L nha", "卡其+1 灰+1": options of the item on the screen, and an act.

        One value of one axis is a remark as often.
        """
        claimed = core.tokens[0].kind == kinds.CLAIM and core.tokens[0].value == "strong"  # "no pink pls, mine red S"
        if self.pinned is None or not (claimed or core.mask & (1 << kinds.QUANTITY | VERBS)):
            return False
        choices = [self.pinned.choices.get(str(token.value)) for token in core.tokens if token.kind == kinds.OPTION]
        axes = {choice[0] for choice in choices if choice is not None}
        if None in choices or not choices:
            return False
        if core.mask & VERBS and not core.mask & 1 << kinds.QUANTITY:
            swaps = core.mask & bits(kinds.CHANGE, kinds.CHANGE_TO) and len(choices) > 1
            return bool(swaps) or (bool(core.mask & bits(kinds.CANCEL)) and len(axes) == len(self.pinned.axes))
        return len(axes) == len(self.pinned.axes) and len(choices) > 1

    def _is_remarked(self, core: Core) -> bool:
        """ "我要2箱 发往杭州", "두 개 주세요 택배로요": a weak form, then delivery, payment or for whom."""
        if self.pinned is None or core.first != 0 or core.mask & ~_WEAK or len(self.cores) > 1:
            return False
        claimed = any(token.value == "strong" for token in core.tokens)
        if not (core.mask & 1 << kinds.QUANTITY or claimed):
            return False
        rest = self.tokens[core.last + 1 :]
        told = any(token.kind == kinds.REMARK or token.value in ("named", "time") for token in rest)
        return told and not any(_SAYS_MORE >> token.kind & 1 or token.value == "person" for token in rest)

    def _cancels_the_last(self, core: Core) -> bool:
        """ "剛剛那個不要了", "방금 주문한 거 취소해주세요": a word of cancelling, and nothing else acts."""
        sorts = {token.kind for token in core.tokens}
        if any(token.kind == kinds.ALL for token in self.tokens):
            return False  # "全部取消": of how many?
        if kinds.CANCEL not in sorts or not sorts <= {kinds.CANCEL, kinds.THIS, kinds.CLAIM}:
            return False
        alone = not any(self._acts(other) for other in self.cores if other is not core)
        stretch = self.places[core.first].stretch
        strangers = (kinds.UNKNOWN, kinds.TOPIC, kinds.PROSE)
        return alone and not any(
            token.kind in strangers and self.places[position].stretch == stretch
            for position, token in enumerate(self.tokens)
        )

    def _acts(self, core: Core) -> bool:
        """Something is ordered or changed; a count without an item tells ("衣櫃裡有一件一樣的")."""
        counts = all(token.kind == kinds.QUANTITY and token.value[1] == "count" for token in core.tokens)
        return bool(core.mask & (AMOUNT | CHANGING)) and not counts

    def _counts_a_name(self, core: Core) -> bool:
        """A name beside a claim word, or counted before it, may be prose: "I'll take my bag", "我有兩件外套"."""
        item = next(place for place, token in enumerate(core.tokens) if token.kind == kinds.ITEM)
        before = self.tokens[core.first - 1] if core.first else None
        asked = core.tokens[-1].kind == kinds.CLAIM and len(core.tokens) > 1  # "블라우스 두 장 부탁드려요"
        strange = before is not None and before.kind in (kinds.UNKNOWN, kinds.TOPIC)
        if strange and not asked and self.words.in_one_stretch(core.first) and not self._is_whole(core):
            return False  # "big bag +1"
        if self._is_a_whole_clause(core):
            return True
        claimed = any(token.kind == kinds.CLAIM for token in core.tokens[:item])
        counted = any(token.kind == kinds.QUANTITY for token in core.tokens[item + 1 :])
        return counted or (claimed and (bool(core.mask & AMOUNT) or self._is_whole(core)))

    def _is_whole(self, core: Core) -> bool:
        """A name with a value of each of its axes: "엄마 생신이라 원피스 빨강 L 1벌"."""
        item = next((token.value[0] for token in core.tokens if token.kind == kinds.ITEM), None)
        if item is None:
            return False
        choices = [item.choices.get(str(token.value)) for token in core.tokens if token.kind == kinds.OPTION]
        return bool(item.axes) and {choice[0] for choice in choices if choice} == set(range(len(item.axes)))

    def _is_a_whole_clause(self, core: Core) -> bool:
        """ "我要帆布包，…", "再來一件洋裝，…": nothing else is said in its clause."""
        clause, stretch = self.places[core.first]
        return all(
            core.first <= position <= core.last or token.kind in (kinds.SEPARATOR, kinds.SOFT, kinds.AND)
            for position, token in enumerate(self.tokens)
            if self.places[position].clause == clause
            and (position < core.first or self.places[position].stretch == stretch)
        )

    def _goes_on(self, core: Core) -> bool:
        """ "CF A12 3 แผง", "chốt A1 do", "chốt A12 2-3 cái": what follows may be the quantity or an option."""
        following = core.last + 1
        if core.tokens[-1].value == "phone":
            return False  # "A1 hồng S 0912345678 Lan"
        if following >= len(self.tokens) or self.places[following].clause != self.places[core.last].clause:
            return False
        kind = self.tokens[following].kind
        last = core.tokens[-1]
        if kind == kinds.UNKNOWN and last.kind in (kinds.NUMBER, kinds.WORD_NUMBER):
            return True
        if not self.words.in_one_stretch(following):
            return False
        if kind == kinds.PROSE:
            return True
        has_axes = any(token.value[0].axes for token in core.tokens if token.kind == kinds.ITEM)
        return kind == kinds.UNKNOWN and has_axes and not self._is_whole(core)

    def _is_part_of_more(self, core: Core) -> bool:
        """ "草莓大福+1", "F1賽車+1", "A12+1樓": a name, a code or a quantity goes on into a word that nobody knows."""
        for position in range(core.first, core.last + 1):
            token = self.tokens[position]
            after = self.tokens[position + 1] if position + 1 < len(self.tokens) else None
            before = self.tokens[position - 1] if position else None
            goes_on = after is not None and _ODD >> after.kind & 1 and after.start == token.end
            # "抢一件A12她在上体育课", "我要買A12給媳婦當生日禮物"
            told = after is not None and (after.value == "pronoun" or self.text.startswith("给", token.end))
            if token.kind in (kinds.ITEM, kinds.QUANTITY, kinds.LESS) and goes_on and not told:
                return True
            if token.kind == kinds.QUANTITY and self.text.startswith("的", token.end):
                return True  # "A02黑+1的那位小姐"
            if _WHO_DOES.match(self.text, token.end):
                return True  # "取消A12的人也太多了"
            begins = before is not None and _ODD >> before.kind & 1 and before.end == token.start
            if token.kind == kinds.ITEM and begins and not self._is_coded(token):
                return True
        return False

    def _is_coded(self, item: Token) -> bool:
        """By its code, or the code stands beside the name: "自家苹果 F2*5"."""
        return any(
            token.kind == kinds.ITEM and token.value == item.value and self.words.is_code(token)
            for token in self.tokens
        )

    def _may_stand_beside(self, core: Core) -> bool:
        """A core that is not strong must say nothing: another item, an option of ours or a sign make it a doubt."""
        if core in self.strong:
            return True
        items = {id(token.value[0]) for strong in self.strong for token in strong.tokens if token.kind == kinds.ITEM}
        wanted = {str(token.value) for strong in self.strong for token in strong.tokens if token.kind == kinds.OPTION}
        for place, token in enumerate(core.tokens):
            if token.kind == kinds.ITEM:
                if id(token.value[0]) in items or self.words.is_kept(core.last) or self._is_sent_along(core):
                    continue
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
            elif not _LINKS >> token.kind & 1 and not self._is_of_something_else(core):
                return False
        return True

    def _is_sent_along(self, core: Core) -> bool:
        """ "寬褲灰色+2，前天訂的外套一起寄就好": an earlier order, named in a remark on delivery."""
        stretch = self.places[core.first].stretch
        earlier = any(
            token.value in ("past", "earlier") and self.places[position].stretch == stretch
            for position, token in enumerate(self.tokens)
        )
        return earlier and self.words.stretch_has(core.first, bits(kinds.REMARK))

    def _is_of_something_else(self, core: Core) -> bool:
        """A lone word of change in another clause: "裤子黑色换卡其，麻烦客服改下备注"."""
        if any(token.kind != kinds.CHANGE for token in core.tokens):
            return False
        if any(strong.mask & bits(kinds.CHANGE, kinds.CHANGE_TO) for strong in self.strong):
            return True  # "A01红M换成粉M 麻烦客服改下"
        clause = self.places[core.first].clause
        apart = all(clause != self.places[strong.last].clause for strong in self.strong)
        return apart and self.words.kind(core.last + 1) in (kinds.UNKNOWN, kinds.REMARK)

    def _is_an_option_of_ours(self, word: str, core: Core, place: int) -> bool:
        if place == 0 and core.first and self.tokens[core.first - 1].kind == kinds.NEGATION:
            return False  # "不要黑的"
        if self.words.is_kept(core.last):
            return False
        following = self.words.kind(core.last + 1)
        apart = all(self.places[core.first].clause != self.places[strong.first].clause for strong in self.strong)
        denied = apart and self.words.stretch_has(core.last, bits(kinds.NEGATION))  # "灰的家裡有了不要，A02黑+1"
        if denied or following == kinds.NEGATION or (apart and all(strong.mask & CHANGING for strong in self.strong)):
            return False  # "灰的不要喔，A02 黑+2", "swap A1 red for A1 pink, red washes me out"
        owners = [token.value[0] for strong in self.strong for token in strong.tokens if token.kind == kinds.ITEM]
        if not owners and self.pinned is not None:
            owners = [self.pinned]
        return any(owner.choices.get(word) is not None for owner in owners)


class Strong(NamedTuple):
    """What the strong forms of a comment say, and where: `spans` are (start, end) in the folded and masked comment."""

    intents: tuple[Intent, ...]
    spans: list[tuple[int, int]]


def read_strong(tokens: list[Token], text: str, view: View, pinned: Item | None) -> Strong | None:
    """The strong orders and changes of a comment, None where there is none or where one is in danger.

    Args:
        tokens: the bound words.
        text: the folded and masked comment.
    """
    if len(tokens) > TOKENS_MAX:
        return None
    reader = StrongReader(Words(tokens, text), view, pinned)
    intents = reader.read()
    words = reader.tokens
    return Strong(intents, [(words[it.first].start, words[it.last].end) for it in reader.strong]) if intents else None
