"""Exchanges: "A01紅換黑", "change A1 to 3", "A12 3개로 변경해주세요" to `set` and `swap`."""

from __future__ import annotations

from typing import NamedTuple

from livecommerce.comments import kinds
from livecommerce.comments.binding import quantity_of
from livecommerce.comments.catalogue import Item, View
from livecommerce.comments.kinds import Token
from livecommerce.comments.orders import OrderReader, Refused, choose
from livecommerce.comments.verdict import Intent, Reason, SetQuantity, Swap


class Side(NamedTuple):
    """One side of an exchange."""

    item: Item | None
    options: list[str]
    qty: int | None


def has_change(tokens: list[Token]) -> bool:
    """Whether some word changes an earlier order into another one."""
    return any(token.kind in (kinds.CHANGE, kinds.CHANGE_TO) for token in tokens)


def read_changes(tokens: list[Token], text: str, view: View, pinned: Item | None) -> tuple[Intent, ...]:
    """Intents of a comment with a change word; other clauses may order, cancel or reduce. Raises Refused."""
    intents: list[Intent] = []
    clause: list[Token] = []
    tokens = _joined(tokens)
    for token in [*tokens, Token(kinds.SEPARATOR, "\n", 0, 0)]:
        if token.kind != kinds.SEPARATOR:
            clause.append(token)
            continue
        if clause and has_change(clause):
            intents.append(_exchange(clause, text, view, pinned))
        elif clause:
            intents.extend(OrderReader(clause, text, view, pinned).read())
        clause = []
    return tuple(intents)


def _joined(tokens: list[Token]) -> list[Token]:
    """ "papalit ng green na dress, gawing pink": what is changed, and into what, in two clauses."""
    verbs = [place for place, token in enumerate(tokens) if token.kind in (kinds.CHANGE, kinds.CHANGE_TO)]
    cuts = [place for place, token in enumerate(tokens) if token.kind == kinds.SEPARATOR]
    if len(verbs) == 1 and len(cuts) == 1 and verbs[0] == cuts[0] + 1:
        named = all(token.kind in (kinds.ITEM, kinds.OPTION) for token in tokens[: cuts[0]])
        return [*tokens[: cuts[0]], *tokens[verbs[0] :]] if named else tokens  # "A1 pink ko, palitan po ng red"
    if len(verbs) == 2 and not cuts and verbs[0] == 0 and tokens[0].kind == kinds.CHANGE:
        return tokens[1:]  # "edit po: A12 gawing 2 pcs"
    if len(verbs) != 2 or len(cuts) != 1 or any(token.kind == kinds.TO and token.value is None for token in tokens):
        return tokens
    if verbs[0] != 0 or tokens[0].kind != kinds.CHANGE or verbs[1] != cuts[0] + 1:
        return tokens
    return [*tokens[1 : cuts[0]], *tokens[verbs[1] :]]


def _exchange(clause: list[Token], text: str, view: View, pinned: Item | None) -> Intent:
    left, right = _split(clause)
    words = [str(token.value) for token in right if token.kind == kinds.OPTION]
    if not left and len(right) == len(words) == 2 and pinned and len(_axes(pinned, words)) == 1:
        left, right = right[1:], right[:1]  # "palitan po ng L yung M": the particle marks what it becomes
    elif not left and len(right) == 2 and right[1].kind == kinds.ITEM and right[0].kind != kinds.OPTION:
        left, right = right[1:], right[:1]  # "gawin nyo pong 3 yung A12 ko"
    source = _side(left, text, view, pinned, target=False)
    holder = source.item or pinned
    target = _side(right, text, view, holder, target=True)
    if holder is None:
        raise Refused(Reason.NO_ITEM)
    options = choose(holder, source.options)
    if source.qty is not None and target.qty is None:
        raise Refused(Reason.CHANGE_UNCLEAR)
    if target.qty is not None:
        if target.item is not None or target.options:
            raise Refused(Reason.CHANGE_UNCLEAR)
        return SetQuantity(holder.code, options, target.qty)
    if target.item is None and not target.options:
        raise Refused(Reason.CHANGE_UNCLEAR)
    if target.item is not None and source.item is None:
        raise Refused(Reason.CHANGE_UNCLEAR)  # "換A02": from which?
    goal = target.item or holder
    to_options = choose(goal, target.options)
    if goal is holder:
        if options == to_options:
            raise Refused(Reason.CHANGE_UNCLEAR)
        if source.options and not _axes(holder, target.options) <= _axes(holder, source.options):
            raise Refused(Reason.CHANGE_UNCLEAR)  # "紅換M": a colour does not become a size
    return Swap(holder.code, options, goal.code, to_options)


def _axes(item: Item, words: list[str]) -> set[int]:
    return {choice[0] for word in words if (choice := item.choices.get(word)) is not None}


def _split(clause: list[Token]) -> tuple[list[Token], list[Token]]:
    verbs = [place for place, token in enumerate(clause) if token.kind in (kinds.CHANGE, kinds.CHANGE_TO)]
    marks = [place for place, token in enumerate(clause) if token.kind == kinds.TO]
    if len(marks) > 1:  # a real "to" beats particles
        marks = [place for place in marks if clause[place].value is None]
    if len(verbs) != 1 or len(marks) > 1:
        raise Refused(Reason.CHANGE_UNCLEAR)
    verb = verbs[0]
    if marks and clause[verb].kind == kinds.CHANGE_TO:
        raise Refused(Reason.CHANGE_UNCLEAR)
    if marks and marks[0] > verb:  # change A1 to 3
        return clause[:verb] + clause[verb + 1 : marks[0]], clause[marks[0] + 1 :]
    if marks:  # A12 3개로 변경
        if any(token.kind not in (kinds.THIS, kinds.AND) for token in clause[verb + 1 :] + clause[marks[0] + 1 : verb]):
            raise Refused(Reason.CHANGE_UNCLEAR)
        return _split_before(clause[: marks[0]])
    right = clause[verb + 1 :]
    if clause[verb].kind == kinds.CHANGE and not clause[:verb] and any(token.kind == kinds.ITEM for token in right):
        raise Refused(Reason.CHANGE_UNCLEAR)  # "改A01 3件": a verb in front and nothing between
    return clause[:verb], right


def _split_before(body: list[Token]) -> tuple[list[Token], list[Token]]:
    """Korean puts the verb last: what carries 을/를 is left, else the last thing before 로 is right."""
    for place, token in enumerate(body):
        if token.kind == kinds.OBJECT:
            if any(other.kind == kinds.OBJECT for other in body[place + 1 :]):
                raise Refused(Reason.CHANGE_UNCLEAR)
            return body[:place], body[place + 1 :]
    cut = len(body) - 1
    while cut > 0 and body[cut].kind == kinds.OPTION and body[cut - 1].kind == kinds.ITEM and cut > 1:
        cut -= 1
    return body[:cut], body[cut:]


def _side(tokens: list[Token], text: str, view: View, holder: Item | None, *, target: bool) -> Side:
    item: Item | None = None
    options: list[str] = []
    amount: int | None = None
    for token in tokens:
        kind = token.kind
        if kind == kinds.ITEM:
            owners: tuple[Item, ...] = token.value
            if len(owners) != 1 or (item is not None and owners[0] is not item):
                raise Refused(Reason.CHANGE_UNCLEAR)
            item = owners[0]
        elif kind == kinds.OPTION:
            options.append(str(token.value))
        elif kind == kinds.QUANTITY and amount is None:
            amount, how = token.value
            if how == "each":
                raise Refused(Reason.CHANGE_UNCLEAR)
        elif kind in (kinds.NUMBER, kinds.WORD_NUMBER) and amount is None:
            owner = item or holder
            written = str(token.value)
            if owner is not None and owner.choices.get(written) is not None:
                options.append(written)
            elif kind == kinds.NUMBER and written in view.codes:
                if target or item is not None:
                    raise Refused(Reason.TWO_READINGS)
                item = view.codes[written]
            else:
                amount = quantity_of(token)
                if amount is None:
                    raise Refused(Reason.BAD_QUANTITY)
        elif kind == kinds.BAD_QUANTITY:
            raise Refused(Reason.BAD_QUANTITY)
        elif kind not in (kinds.CLAIM, kinds.WEAK_CLAIM, kinds.THIS, kinds.OBJECT, kinds.TO):
            raise Refused(Reason.CHANGE_UNCLEAR)
    return Side(item, options, amount)
