"""Text to words: the longest word of packs and catalogue at every place, unknown stretches as UNKNOWN.

Latin words and codes are read whole ("A12abc" is never A12). Chinese and Thai have no spaces and are read by longest
match. Korean runs are understood to their end or not at all. Time is linear: each position tries a handful of lengths.
"""

from __future__ import annotations

import re
from typing import Final

from livecommerce.comments import kinds
from livecommerce.comments.catalogue import LATIN as _LATIN
from livecommerce.comments.catalogue import View
from livecommerce.comments.kinds import Token
from livecommerce.comments.masking import MARKS

_RUN: Final = re.compile(
    r"([0-9a-z'_\u00c0-\u024f\u1e00-\u1eff\u0300-\u036f]+)"  # 1 Latin letters and digits
    r"|([\u3400-\u4dbf\u4e00-\u9fff〇]+)"  # 2 Han
    r"|([\u0e00-\u0eff]+)"  # 3 Thai, Lao
    r"|([\uac00-\ud7a3]+)"  # 4 Hangul
    r"|(\++|-+|\*)"  # 5 signs
    r"|([,、;。\n?]+)"  # 6 separators
    r"|([\ue000-\ue005])"  # 7 marks
    r"|([\u3131-\u318e]+)"  # 8 Hangul letters: ㅋㅋ, ㅠㅠ
    r"|(:-?[()dpo3]+(?![a-z0-9])|\^_*\^|<3|>_<|t_t|;-?\)|=\))"  # 9 faces
    r"|([=#%$^]|[^\W\d_]+)"  # 10 what no order contains, letters of other scripts
    r"|(&)"  # 11
)
_HAN_NUMBER: Final = re.compile("[一二三四五六七八九十百两零〇]+")
_HAN_DIGITS: Final = {digit: value for value, digit in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_STRETCH: Final = re.compile(r"([a-zà-ỹ])\1{2,}")
_LAUGH: Final = re.compile(
    r"(?:ha|he|hi|ja|hu|ka|kk|wk|ah|hq){2,20}[haek]?|lo{1,20}l|k{3,40}|h{3,40}|5{3,40}|lmf?ao+|rofl+|ww+"
)
_DIGITS_FIRST: Final = re.compile(r"([0-9]+)([^0-9].*)")
_CODE_TIMES: Final = re.compile(r"(.+?)x([0-9]{1,4})")
_TIMES: Final = re.compile(r"x([0-9]{1,4})")
_CODE_SHAPE: Final = re.compile(r"[a-z]{1,3}[0-9]{1,4}|[a-z][0-9o]{1,3}")
_THAI_TAIL: Final = frozenset("ะัาำิีึืฺุู็่้๊๋์ํ๎ๆ")
_ASKING_REAL: Final = ("나요", "까요", "인가", "는지", "을까", "가요")


def han_number(written: str) -> int | None:
    """Value of a Chinese numeral up to 99: 三 3, 十二 12, 二十 20, 二十五 25; None for other spellings."""
    if len(written) == 1:
        return 10 if written == "十" else _HAN_DIGITS.get(written)
    tens, ten, ones = written.partition("十")
    if not ten or len(tens) > 1 or len(ones) > 1:
        return None
    high = _HAN_DIGITS.get(tens, 1) if tens else 1
    low = _HAN_DIGITS.get(ones, -1) if ones else 0
    return None if high == 0 or low < 0 or (ones and low == 0) else high * 10 + low


class Tokeniser:
    """Reads one text under one view. `found` collects the tokens in order."""

    __slots__ = ("found", "text", "view")

    def __init__(self, text: str, view: View) -> None:
        self.text = text
        self.view = view
        self.found: list[Token] = []

    def run(self) -> list[Token]:
        """All tokens of the text; words without meaning for orders are left out."""
        position, text, size, match_run = 0, self.text, len(self.text), _RUN.match
        found = self.found
        while position < size:
            match = match_run(text, position)
            if match is None:
                position += 1
                continue
            end = match.end()
            group = match.lastindex
            if group == 1:
                position = self._latin(match.group(), position, end)
            elif group == 2:
                position = self._spaceless(position, end, False)
            elif group == 3:
                position = self._spaceless(position, end, True)
            elif group == 4:
                position = self._hangul(position, end)
            else:
                if group == 5:
                    self._sign(text[position], position, end)
                elif group == 6:
                    self._separator(position, end)
                elif group == 7:
                    found.append(Token(MARKS[text[position]], None, position, end))
                elif group == 8:
                    if text[position] in "ㅋㅎㅇ":
                        found.append(Token(kinds.AGREE, None, position, end))
                    elif text[position] not in "ㅠㅜ":
                        found.append(Token(kinds.UNKNOWN, None, position, end))
                elif group == 10:
                    found.append(Token(kinds.UNKNOWN, None, position, end))
                elif group == 11:
                    found.append(Token(kinds.AND, None, position, end))
                position = end
        return found

    def _sign(self, sign: str, start: int, end: int) -> None:
        kind = kinds.PLUS if sign == "+" else kinds.MINUS if sign == "-" else kinds.TIMES
        self.found.append(Token(kind, sign, start, end))
        if end - start > 1:  # "++", "--"
            self.found.append(Token(kind, sign, end - 1, end))

    def _separator(self, start: int, end: int) -> None:
        written = self.text[start:end]
        if "?" in written:
            self.found.append(Token(kinds.QUESTION, "?", start, end))
        if "\n" in written:
            self.found.append(Token(kinds.SEPARATOR, "\n", start, end))
        elif written.strip("?"):
            self.found.append(Token(kinds.SEPARATOR, ",", start, end))

    def _latin(self, run: str, start: int, end: int) -> int:
        view, text = self.view, self.text
        phrases = view.phrases.get(run)
        if phrases is not None:
            for length in phrases:
                stop = start + length
                known = view.words.get(text[start:stop])
                if known is not None and not (
                    stop < len(text) and _LATIN.match(text, stop) and _LATIN.match(text[stop - 1])
                ):
                    if known[0]:
                        self.found.append(Token(known[0], known[1], start, stop))
                    return stop
        entry = view.words.get(run)
        if entry is not None:
            if entry[0]:
                self.found.append(Token(entry[0], entry[1], start, end))
        elif run.isdigit():
            self.found.append(Token(kinds.NUMBER, run, start, end))
        else:
            self._odd_run(run, start, end)
        return end

    def _odd_run(self, run: str, start: int, end: int) -> None:
        """A run that is no word of anyone: digits with a counter, a claim word touching a code, laughter, glue."""
        add, words = self.found.append, self.view.words
        stripped = run.strip("'_")
        if stripped != run:
            if stripped:
                inside = start + run.index(stripped)
                self._latin(stripped, inside, inside + len(stripped))
            return
        if any("0" <= character <= "9" for character in run):
            self._mixed_run(run, start, end)
        elif _LAUGH.fullmatch(run):
            add(Token(kinds.AGREE, None, start, end))
        elif _STRETCH.search(run) and (entry := words.get(_STRETCH.sub(r"\1", run))) is not None:
            if entry[0]:
                add(Token(entry[0], entry[1], start, end))
        else:
            add(Token(kinds.UNKNOWN, None, start, end))

    def _mixed_run(self, run: str, start: int, end: int) -> None:
        add, view = self.found.append, self.view
        if match := _TIMES.fullmatch(run):
            add(Token(kinds.TIMES, "x", start, start + 1))
            add(Token(kinds.NUMBER, match.group(1), start + 1, end))
            return
        if self._touching(run, start, end):
            return
        if match := _DIGITS_FIRST.fullmatch(run):
            digits, rest = match.groups()
            entry = view.words.get(rest)
            if entry is not None and entry[0] in (kinds.COUNTER, kinds.BAD_COUNTER, kinds.IGNORE):
                add(Token(kinds.NUMBER, digits, start, start + len(digits)))
                if entry[0]:
                    add(Token(entry[0], entry[1], start + len(digits), end))
                return
        if _LAUGH.fullmatch(run):
            add(Token(kinds.AGREE, None, start, end))
            return
        shape = kinds.CODE_LIKE if _CODE_SHAPE.fullmatch(run) else kinds.GLUED
        for claim in view.claims.get(run[0], ()):
            if run.startswith(claim) and _CODE_SHAPE.fullmatch(run, len(claim)):
                shape = kinds.CODE_LIKE
        add(Token(shape, run, start, end))

    def _touching(self, run: str, start: int, end: int) -> bool:
        """A claim word before a code, "xN" after it: the only things that may touch one."""
        add, codes = self.found.append, self.view.codes
        for claim in ("", *self.view.claims.get(run[0], ())):
            if not run.startswith(claim):
                continue
            rest = run[len(claim) :]
            times = ""
            if rest not in codes or not claim:
                match = _CODE_TIMES.fullmatch(rest)
                if match is None or match.group(1) not in codes:
                    continue
                rest, times = match.groups()
            inside = start + len(claim)
            if claim:
                add(Token(kinds.CLAIM, self.view.words[claim][1], start, inside))
            if rest.isdigit():
                add(Token(kinds.NUMBER, rest, inside, inside + len(rest)))
            else:
                add(Token(kinds.ITEM, (codes[rest],), inside, inside + len(rest)))
            if times:
                add(Token(kinds.TIMES, "x", inside + len(rest), inside + len(rest) + 1))
                add(Token(kinds.NUMBER, times, inside + len(rest) + 1, end))
            return True
        return False

    def _spaceless(self, start: int, end: int, thai: bool) -> int:
        """Chinese and Thai: longest match, what is left between matches is one UNKNOWN."""
        text, words, lengths, found = self.text, self.view.words, self.view.lengths, self.found
        size = len(text)
        position, unknown = start, -1
        while position < end:
            character = text[position]
            entry = None
            stop = position + 1
            for length in lengths.get(character, ()):
                entry = words.get(text[position : position + length])
                if entry is not None:
                    stop = position + length
                    if thai and stop < size and text[stop] in _THAI_TAIL:
                        entry = None
                        continue
                    break
            if not thai and character in "一二三四五六七八九十两零" and (entry is None or stop == position + 1):
                number = _HAN_NUMBER.match(text, position)
                if number is not None:
                    entry = (kinds.WORD_NUMBER, number.group())
                    stop = number.end()
            if entry is None:
                if unknown < 0:
                    unknown = position
                position += 1
                continue
            if unknown >= 0:
                found.append(Token(kinds.UNKNOWN, None, unknown, position))
                unknown = -1
            if entry[0] == kinds.NEGATION and character in "不没" and _asks_by_its_twin(text, position, start, end):
                entry, stop = (kinds.QUESTION, None), position + 1
            if entry[0]:
                found.append(Token(entry[0], entry[1], position, stop))
            position = stop
        if unknown >= 0:
            found.append(Token(kinds.UNKNOWN, None, unknown, end))
        return position

    def _hangul(self, start: int, end: int) -> int:
        """Korean: the run is words to its end, or one UNKNOWN; an asking ending still asks."""
        text, words, lengths, found = self.text, self.view.words, self.view.lengths, self.found
        before = len(found)
        position = start
        while position < end:
            entry = None
            for length in lengths.get(text[position], ()):
                stop = position + length
                entry = words.get(text[position:stop])
                if entry is not None:
                    if stop < len(text) and stop > end and "가" <= text[stop] <= "힣" and text[stop - 1] != " ":
                        entry = None  # a phrase with a space must end where a word ends
                        continue
                    break
            if entry is None:
                del found[before:]
                found.append(Token(kinds.UNKNOWN, None, start, end))
                if text.endswith(_ASKING_REAL, start, end):
                    found.append(Token(kinds.QUESTION, None, start, end))
                return end
            if entry[0]:
                found.append(Token(entry[0], entry[1], position, stop))
            position = stop
        return position


def _asks_by_its_twin(text: str, position: int, start: int, end: int) -> bool:
    """ "甜不甜", "厚不厚", "適不適合": the same word on both sides of a negation asks."""
    return start < position < end - 1 and text[position - 1] == text[position + 1]


def tokenise(text: str, view: View) -> list[Token]:
    """Tokens of a folded and masked text."""
    return Tokeniser(text, view).run()
