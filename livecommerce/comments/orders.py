"""Bound words to intents, for everything but exchanges: reserve, cancel, reduce.

A small machine reads the words left to right and fills one Part after another. Whatever does not fit stops it with a
reason; it never skips a word to make a comment fit.
"""

from __future__ import annotations

from typing import Final

from livecommerce.comments import kinds
from livecommerce.comments.binding import QUANTITY_MAX, quantity_of
from livecommerce.comments.catalogue import Item, View
from livecommerce.comments.kinds import Token, bits
from livecommerce.comments.verdict import Cancel, Intent, Reason, Reduce, Reserve

_MARKERS: Final = bits(
    kinds.QUANTITY, kinds.ITEM, kinds.CLAIM, kinds.CANCEL, kinds.LESS, kinds.BAD_QUANTITY, kinds.NUMBER
)
_MORE: Final = bits(
    kinds.QUANTITY, kinds.ITEM, kinds.OPTION, kinds.NUMBER, kinds.WORD_NUMBER, kinds.LESS, kinds.EVERY_VALUE
)
PARTS_MAX: Final = 50  # a comment has 200 characters; nobody orders more than fifty things in it


class Refused(Exception):
    """The words do not make an order; carries the reason. Internal: the parser turns it into a verdict."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason


class Part:
    """What has been read of one intent so far."""

    __slots__ = ("action", "claim", "every", "how", "item", "options", "post_claim", "qty")

    def __init__(self, item: Item | None = None, action: str = "reserve") -> None:
        self.item = item
        self.options: list[str] = []
        self.qty: int | None = None
        self.how = ""
        self.claim = ""
        self.post_claim = False
        self.every = False
        self.action = action

    def is_empty(self) -> bool:
        return self.item is None and not self.options and self.qty is None and not self.every


def choose(item: Item, words: list[str]) -> tuple[str, ...]:
    """Catalogue values of option words in the order of the item's axes. Raises Refused where they do not fit."""
    if not words:
        return ()
    chosen: dict[int, str] = {}
    for word in words:
        choice = item.choices.get(word)
        if choice is None or chosen.setdefault(choice[0], choice[1]) != choice[1]:
            raise Refused(Reason.BAD_OPTION)
    return tuple(chosen[axis] for axis in sorted(chosen))


def groups(item: Item, words: list[str]) -> list[list[str]]:
    """Split "黑 M 白 L" where an axis comes again. All groups must name the same axes."""
    found: list[dict[int, str]] = [{}]
    for word in words:
        choice = item.choices.get(word)
        if choice is None:
            raise Refused(Reason.BAD_OPTION)
        if choice[0] in found[-1]:
            found.append({})
        found[-1][choice[0]] = word
    if any(group.keys() != found[0].keys() for group in found):
        raise Refused(Reason.BAD_OPTION)
    return [list(group.values()) for group in found]


class OrderReader:
    """Reads one comment. Call `read` once."""

    __slots__ = (
        "current",
        "intents",
        "last_item",
        "last_options",
        "parts",
        "pending",
        "pinned",
        "text",
        "tokens",
        "view",
    )

    def __init__(self, tokens: list[Token], text: str, view: View, pinned: Item | None) -> None:
        self.tokens = tokens
        self.text = text
        self.view = view
        self.pinned = pinned
        self.current = Part()
        self.pending: list[Part] = []
        self.last_item: Item | None = None
        self.last_options: list[str] = []
        self.parts = 0
        self.intents: list[Intent] = []

    def read(self) -> tuple[Intent, ...]:
        """The intents in reading order, equal reservations added up. Raises Refused."""
        for position, token in enumerate(self.tokens):
            kind = token.kind
            if kind == kinds.ITEM:
                self._item(token, position)
            elif kind == kinds.OPTION:
                self._option(str(token.value), position)
            elif kind == kinds.QUANTITY:
                amount, how = token.value
                self._quantity(amount, how)
            elif kind == kinds.NUMBER:
                self._number(token, position)
            elif kind == kinds.WORD_NUMBER:
                self._word_number(token, position)
            elif kind == kinds.CLAIM:
                self._claim(str(token.value), position)
            elif kind == kinds.CANCEL:
                self._cancel(position)
            elif kind == kinds.LESS:
                self._less(int(str(token.value)))
            elif kind == kinds.EVERY_VALUE:
                self._every(position)
            elif kind in (kinds.SEPARATOR, kinds.AND):
                self._separator(kind, position)
            elif kind == kinds.BAD_QUANTITY:
                raise Refused(Reason.BAD_QUANTITY)
            elif kind not in (kinds.THIS, kinds.WEAK_CLAIM):
                raise Refused(Reason.UNKNOWN_WORDS)
        if self.pending:
            raise Refused(Reason.NO_QUANTITY)
        self._close()
        if not self.intents:
            raise Refused(Reason.NO_QUANTITY)
        return self._added_up()

    def _next_marker(self, position: int) -> int:
        """Kind of the next word that starts or ends a part, -1 at the end."""
        for place in range(position + 1, len(self.tokens)):
            kind = self.tokens[place].kind
            if _MARKERS >> kind & 1:
                return kind
        return -1

    def _more_follows(self, position: int) -> bool:
        return any(_MORE >> token.kind & 1 for token in self.tokens[position + 1 :])

    def _item(self, token: Token, position: int) -> None:
        owners: tuple[Item, ...] = token.value
        word = self.text[token.start : token.end]
        holder = self.current.item or self.last_item or self.pinned
        if holder is not None and holder not in owners and holder.choices.get(word) is not None:
            if self.current.item is not None:
                self._option(word, position)
                return
            raise Refused(Reason.TWO_READINGS)
        if len(owners) != 1:
            raise Refused(Reason.SHARED_NAME)
        self._take(owners[0], position)

    def _take(self, item: Item, position: int) -> None:
        current = self.current
        if current.post_claim and current.item is not None:
            raise Refused(Reason.TWO_READINGS)  # "A12 CF B7": whose claim?
        if (current.item is None and current.action == "cancel") or (current.item is None and current.qty is None):
            current.item = item
        elif current.item is None:
            if self._next_marker(position) in (kinds.QUANTITY, kinds.LESS, kinds.NUMBER):
                self._close()
                self.current = Part(item)
            elif self.parts or current.options:
                raise Refused(Reason.TWO_READINGS)
            else:
                current.item = item  # "兩件A12"
        elif current.item is item and current.qty is None and not current.options and current.action == "reserve":
            return  # its code and its name
        elif current.action == "cancel":
            acted = self._next_marker(position) in (kinds.QUANTITY, kinds.LESS, kinds.CANCEL)
            self._close()
            self.current = Part(item, "reserve" if acted else "cancel")
        elif current.qty is None and not current.claim:
            self.pending.append(current)
            self.current = Part(item)
        else:
            claim = current.claim
            self._close()
            self.current = Part(item)
            self.current.claim = claim

    def _option(self, word: str, position: int) -> None:
        current = self.current
        if current.qty is None or current.action != "reserve":
            current.options.append(word)
        elif self.tokens[position - 1].kind == kinds.SEPARATOR and self._next_marker(position) == kinds.ITEM:
            self._close()  # "草莓+1，蛋黃鳳梨酥+3"
            self.current.options.append(word)
        elif self._next_marker(position) == kinds.QUANTITY:
            self._close()
            self.current = Part()
            self.current.options.append(word)
        elif current.how == "each" and current.options:
            raise Refused(Reason.TWO_READINGS)
        else:
            current.options.append(word)  # "A01+1 黑M"

    def _quantity(self, amount: int, how: str) -> None:
        current = self.current
        if current.qty is not None or current.action == "cancel":
            raise Refused(Reason.TWO_READINGS if current.qty is not None else Reason.CHANGE_UNCLEAR)
        if how == "each":
            for part in self.pending:
                part.qty, part.how = amount, how
                self._close_part(part)
            self.pending.clear()
        elif self.pending:
            raise Refused(Reason.NO_QUANTITY)
        elif self.parts and current.is_empty() and not current.claim:
            raise Refused(Reason.TWO_READINGS)
        current.qty, current.how = amount, how

    def _number(self, token: Token, position: int) -> None:
        written = str(token.value)
        current = self.current
        item = self.view.codes.get(written)
        holder = current.item or (self.pinned if current.is_empty() or current.options else None) or self.last_item
        following = self._next_marker(position)
        if item is not None and current.is_empty() and any(each.kind == kinds.THIS for each in self.tokens[:position]):
            raise Refused(Reason.TWO_READINGS)  # "เอาตัวนี้ 1": one of this, or item 1?
        if holder is not None and holder.choices.get(written) is not None:
            if item is not None or (current.claim and current.qty is None and following != kinds.QUANTITY):
                raise Refused(Reason.TWO_READINGS)
            self._option(written, position)
            return
        if item is not None:
            alone = current.item is None and current.qty is None
            beside = self.tokens[position + 1].kind if position + 1 < len(self.tokens) else -1
            acted = following in (kinds.QUANTITY, kinds.CANCEL, kinds.LESS)
            named = (
                (acted and (current.item is None or current.qty or self._each(position)))
                or (alone and current.claim and (self.pinned is None or quantity_of(token) is None))
                or (alone and current.action == "cancel")
            )
            if named and beside != kinds.ITEM:  # "sold 1 A12": one piece, or item 1?
                self._take(item, position)
            else:
                raise Refused(Reason.TWO_READINGS)
            return
        if following == kinds.QUANTITY and current.item is None:
            raise Refused(Reason.UNKNOWN_CODE)
        self._bare_number(quantity_of(token), position)

    def _word_number(self, token: Token, position: int) -> None:
        """ "mine po dalawa": a word for a number is no code, so it counts what is on the screen."""
        current = self.current
        if (
            current.is_empty()
            and current.claim == "strong"
            and self.pinned is not None
            and not self._more_follows(position)
        ):
            current.qty, current.how = quantity_of(token), "bare"
            return
        self._bare_number(quantity_of(token), position)

    def _each(self, position: int) -> bool:
        for token in self.tokens[position + 1 :]:
            if token.kind == kinds.QUANTITY:
                return bool(token.value[1] == "each")
        return False

    def _bare_number(self, amount: int | None, position: int) -> None:
        """A number alone is a quantity only after a claim word and an item."""
        current = self.current
        if current.item is None:
            raise Refused(Reason.UNKNOWN_CODE if current.claim else Reason.TWO_READINGS)
        if amount is None or not current.claim or current.post_claim or current.qty is not None:
            raise Refused(Reason.BAD_QUANTITY)
        current.qty, current.how = amount, "bare"

    def _claim(self, strength: str, position: int) -> None:
        current = self.current
        if current.action == "cancel":
            if current.is_empty() and strength == "attached":
                return  # "cancel my order"
            if current.is_empty() or not self._more_follows(position):
                raise Refused(Reason.CHANGE_UNCLEAR)
            self._close()
            self.current.claim = strength
            return
        if self.pending:
            raise Refused(Reason.NO_QUANTITY)
        if current.qty is not None or (current.claim and not current.is_empty()):
            if self._more_follows(position):
                self._close()
                self.current = Part()
                self.current.claim = strength
            return
        if current.is_empty():
            current.claim = "strong" if strength == "strong" else current.claim or strength
        else:
            current.claim = strength
            current.post_claim = True

    def _cancel(self, position: int) -> None:
        current = self.current
        waiting = [part for part in (*self.pending, current) if not part.is_empty()]
        if self.tokens[position].value == "off" and current.qty is not None and current.item and not current.claim:
            current.action = "reduce"  # "A12 한 장 빼주세요"
            self._close()
            return
        if current.action == "cancel":
            if current.is_empty():
                return  # "取消 取消"
            self._close()
            self.current = Part(action="cancel")
        elif waiting and all(part.qty is None and not part.every for part in waiting) and not current.claim:
            for part in waiting:
                part.action = "cancel"
                self._close_part(part)
            self.pending.clear()
            self.current = Part()
        elif current.is_empty() or current.qty is not None:
            if not current.is_empty():
                self._close()
                if not self._more_follows(position):
                    raise Refused(Reason.CHANGE_UNCLEAR)
            self.current = Part(action="cancel")
        else:
            raise Refused(Reason.CHANGE_UNCLEAR)

    def _less(self, amount: int) -> None:
        current = self.current
        if current.qty is not None or current.claim or current.action == "cancel" or self.pending or current.every:
            raise Refused(Reason.TWO_READINGS)
        if self.parts and current.is_empty():
            raise Refused(Reason.TWO_READINGS)
        current.action = "reduce"
        current.qty = amount

    def _every(self, position: int) -> None:
        if self.current.qty is not None and not (self.current.how == "each" and self.current.item is None):
            if self._next_marker(position) != kinds.QUANTITY:
                raise Refused(Reason.TWO_READINGS)
            self._close()
            self.current = Part()
        self.current.every = True

    def _separator(self, kind: int, position: int) -> None:
        current = self.current
        if kind == kinds.AND and current.item is not None and current.qty is None and not current.claim:
            following = self.tokens[position + 1 : position + 2]
            if following and following[0].kind == kinds.QUANTITY and following[0].value[1] == "count":
                raise Refused(Reason.TWO_READINGS)  # "A12還有2件": stock, or an order?
        if current.post_claim and kind == kinds.SEPARATOR:
            self._close()
            self.current = Part()
        elif current.claim and current.options and current.qty is None:
            following = self.tokens[position + 1 : position + 2]
            if following and self._comes_again(following[0]) and self._next_marker(position) == -1:
                claim = current.claim  # "chốt A1 xanh M, hồng M"
                self._close()
                self.current.claim = claim

    def _comes_again(self, token: Token) -> bool:
        """An option of an axis that the present part has named: another one begins."""
        item = self.current.item or self.last_item or self.pinned
        choice = item.choices.get(str(token.value)) if item is not None and token.kind == kinds.OPTION else None
        if item is None or choice is None:
            return False
        return any(
            (known := item.choices.get(word)) is not None and known[0] == choice[0] for word in self.current.options
        )

    def _close(self) -> None:
        self._close_part(self.current)
        self.current = Part()

    def _close_part(self, part: Part) -> None:
        if part.is_empty() and part.action == "reserve" and not part.claim:
            return
        if self.parts >= PARTS_MAX:
            raise Refused(Reason.TWO_READINGS)
        self.parts += 1
        if part.action == "cancel":
            self._close_cancel(part)
            return
        if part.qty is None:
            self._claimed(part)
        item = part.item or self._unnamed(part)
        if part.item is None and item is self.last_item and part.options and not part.every:
            part.options = [*self._inherited(item, part.options), *part.options]
        self.last_item, self.last_options = item, part.options
        if part.action == "reduce":
            self.intents.append(Reduce(item.code, choose(item, part.options), part.qty or 1))
            return
        if part.every:
            self._every_value(part, item)
            return
        split = groups(item, part.options) if part.how == "each" and part.options else [part.options]
        for words in split:
            self.intents.append(Reserve(item.code, choose(item, words), part.qty or 1))

    def _claimed(self, part: Part) -> None:
        """A claim word stands for a quantity of one."""
        attached = part.item is not None or part.options or part.every
        this = any(token.kind == kinds.THIS for token in self.tokens)
        if not part.claim:
            raise Refused(Reason.NO_QUANTITY)
        if not attached and part.claim != "strong" and not this:
            raise Refused(Reason.NO_ITEM)
        if not attached and self.parts > 1:
            raise Refused(Reason.TWO_READINGS)
        part.qty = 1

    def _unnamed(self, part: Part) -> Item:
        """The item of a part without a code: the one before it, else the one on the screen."""
        item = self.last_item or self.pinned
        bare = not part.options and not part.every
        if bare and self.parts > 1:
            raise Refused(Reason.TWO_READINGS)
        if item is None:
            raise Refused(Reason.NO_ITEM)
        this = any(token.kind == kinds.THIS for token in self.tokens)
        if bare and not part.claim and part.how == "plus" and not this and not self.view.bare_plus_binds:
            raise Refused(Reason.BARE_PLUS)
        return item

    def _inherited(self, item: Item, words: list[str]) -> list[str]:
        """ "外套黑 S+1 M+1": what the part before said of the axes that stand before this one's own."""
        own = [choice[0] for word in words if (choice := item.choices.get(word)) is not None]
        if not own or len(own) < len(words):
            return []
        known = [(word, item.choices.get(word)) for word in self.last_options]
        return [word for word, choice in known if choice is not None and choice[0] < min(own)]

    def _every_value(self, part: Part, item: Item) -> None:
        if not item.axes:
            raise Refused(Reason.BAD_OPTION)
        rest = choose(item, part.options)
        if any(choice is not None and choice[0] == 0 for word in part.options for choice in (item.choices[word],)):
            raise Refused(Reason.BAD_OPTION)
        for value in item.axes[0]:
            self.intents.append(Reserve(item.code, (value, *rest), part.qty or 1))

    def _close_cancel(self, part: Part) -> None:
        if any(token.kind == kinds.THIS and token.value != "it" for token in self.tokens):
            raise Refused(Reason.CHANGE_UNCLEAR)
        if part.item is None and not part.options:
            if self.parts > 1:
                raise Refused(Reason.CHANGE_UNCLEAR)
            self.intents.append(Cancel(None, ()))
            return
        item = part.item or self.pinned
        if item is None:
            raise Refused(Reason.NO_ITEM)
        if part.item is not None:
            self.last_item, self.last_options = item, part.options  # "取消A01紅M，改黑M+1"
        self.intents.append(Cancel(item.code, choose(item, part.options)))

    def _added_up(self) -> tuple[Intent, ...]:
        if len(self.intents) == 1:
            return (self.intents[0],)
        totals: dict[tuple[str, tuple[str, ...]], int] = {}
        merged: list[Intent] = []
        for intent in self.intents:
            if isinstance(intent, Reserve):
                key = (intent.code, intent.options)
                if key in totals:
                    place = totals[key]
                    known = merged[place]
                    assert isinstance(known, Reserve)
                    intent = Reserve(known.code, known.options, known.qty + intent.qty)
                    if intent.qty > QUANTITY_MAX:
                        raise Refused(Reason.BAD_QUANTITY)
                    merged[place] = intent
                    continue
                totals[key] = len(merged)
            elif intent in merged:
                continue
            merged.append(intent)
        return tuple(merged)
