"""Hide what cannot be an order: links, handles, phones, prices, dates, times, scores, sums.

Each hidden piece becomes one private-use character, so that later steps see *that* something stood there and of which
sort, but never a digit of it. All patterns are linear: no nested repetition, every repetition is bounded or anchored.
"""

from __future__ import annotations

import re
from typing import Final

from livecommerce.comments.kinds import BAD_NUMBER, LINK, PHONE, PRICE, PROSE, REMARK

MARKS: Final[dict[str, int]] = {
    "\ue000": LINK,
    "\ue001": PHONE,
    "\ue002": PRICE,
    "\ue003": PROSE,
    "\ue004": BAD_NUMBER,
    "\ue005": REMARK,
}

_DOMAINS: Final = (
    "com|tw|net|org|cn|io|co|shop|th|vn|ph|kr|me|cc|ly|app|gl|link|store|us|hk|sg"
    "|my|info|tv|xyz|asia|live|be|ee|jp|gg|page|site|club|uk|ai"
)
_URL: Final = (
    r"(?:https?://|www\.)\S+"
    r"|(?<![\w.+%@-])[a-z0-9._%+-]{1,64}@[a-z0-9-]{1,63}\.[a-z0-9.-]{1,63}"
    r"|@[^\s,]{1,64}"
    rf"|(?<![a-z0-9.-])[a-z0-9-]{{1,63}}(?:\.[a-z0-9-]{{1,63}}){{0,4}}\.(?:{_DOMAINS})(?![a-z0-9])(?:/\S*)?"
)
_PHONE: Final = (
    r"(?<![a-z0-9.])(?:\+(?:886|84|66|63|82|86|60|65|852)[ -]?\d{1,4}(?:[ .-]?\d{3,4}){2}"
    r"|0\d{1,3}(?:[ .-]?\d{3,4}){2}|1[3-9]\d{9})(?![0-9a-z])"
    r"|(?<![a-z0-9.+*-])84\d{9}(?![0-9a-z])"
    r"|(?<![a-z0-9.+*-])(?:1[3-9]\d\*{3,4}\d{4}|09\d\d\*{3}\d{3})(?![0-9a-z])"
)
_MONEY_AFTER: Final = (
    r"nt\b|元|块|円|圆|¥|฿|บาท|baht|thb|₫|đồng|đ(?![a-zà-ỹ])|vnd|₱|php|pesos?|piso|₩|원|usd|dollars?|bucks"
    r"|twd|ntd|台币|日币|rmb|人民币"
)
_PRICE: Final = (
    rf"(?<![a-z0-9+*.])(?:nt\$?|us\$?|\$|฿|₱|₩|₫|¥|php|rm) ?\d[\d,]{{0,9}}(?:\.\d{{1,2}})?"
    rf"(?![0-9])k?(?: ?(?:{_MONEY_AFTER}))?"
    rf"|(?<![a-z0-9+*.-])\d[\d.,]{{0,11}}(?:k|tr)?(?:万|千|만|천)? ?(?:{_MONEY_AFTER})(?:钱)?"
    r"|(?<![a-z0-9+*.-])\d{2,4}(?:k(?![a-z0-9])|\.-)"
    r"|(?<![a-z0-9.])\d{1,3}(?:[.,]\d{3}){1,3}(?![0-9a-z])"
)
_UNIT: Final = (
    r"个月|小时|分钟|公分|公尺|公里|星期|礼拜|人份|次元|月|日|年|天|岁|点|分|秒|周|楼|人|位|次|倍|折|度|代|名|届|集|级|寸|吋|只猫|只狗|房"
    r"|cm|mm|ml|mb|gb|hrs?|hours?|mins?|minutes?|secs?|seconds?|days?|weeks?|months?|years?|yrs?|am|pm|th|st|nd|rd|fps|p(?![a-zà-ỹ])"
    r"|โมง|นาที|วัน|เดือน|ปี|คน|ครั้ง|ทุ่ม|คะแนน|เปอร์เซ็นต์|ชั่วโมง|กิโลเมตร"
    r"|giờ|phút|ngày|tháng|năm|tuổi|điểm|người|lần|h(?![a-zà-ỹ])"
    r"|개월|시간|시|일|월|년|살|점|분|초|명|번째|회|주|층|위|등|승|교시"
    r"|oras|araw|buwan|taon|beses"
)
_PROSE: Final = (
    r"(?<![a-z0-9])\d{1,5}(?: ?[+*×x-] ?\d{1,5}){1,4} ?= ?\d{0,6}"
    r"|(?<![a-z0-9])8\+9(?![0-9])"  # 八加九, a sort of young men
    r"|买\s?[0-9一二两三四五六]\s?送\s?[0-9一二两三四五六]"
    r"|(?<![a-z0-9.+*-])\d{8,40}(?![0-9a-z])"
    r"|buy ?\d ?(?:get|take) ?\d"
    r"|(?<![a-z0-9])\d{1,4}[/]\d{1,3}(?:/\d{1,4})?(?![0-9a-z])"
    r"|(?<![a-z0-9])\d{1,2}:\d{2}(?::\d{2})?(?![0-9])"
    r"|(?<![a-z0-9+*])\d{4}-\d{1,2}-\d{1,2}(?![0-9])"
    r"|(?<![a-z0-9])[+-]?\d{1,5}(?:\.\d{1,2})? ?%"
    r"|(?<![a-z0-9+*.-])[1-9]0대"
    r"|第 ?\d{1,4}"
    r"|# ?[a-z]{0,3}\d{5,12}(?![0-9a-z])"
    rf"|(?<![a-z0-9])\d{{1,5}}\+\d{{1,5}} ?(?:{_UNIT})(?![a-z0-9à-ỹ])"
    rf"|(?<![a-z0-9+*.-])\d{{1,5}}(?:\.\d{{1,2}})? ?(?:{_UNIT})(?![a-z0-9à-ỹ])"
    r"|(?<![a-z0-9+*.-])\d{2,3} ?(?:kg|公斤|斤|lbs?|กิโล)(?![a-z0-9])"
)
_BAD_NUMBER: Final = (
    r"(?<![a-z0-9])\d{1,2}几|[二三四五六七八九]?十几|几十"
    r"|(?<![a-z0-9])\d{1,5}(?:\.\d{1,5}){1,3}|(?<![a-z0-9])\d{1,5} ?~ ?\d{1,5}|(?<![a-z0-9])\d{1,2}/\d{1,2}"
)
_STORE: Final = r"(?<![a-z0-9])(?:7[-/]11|7-eleven|711(?=取|门市|店|寄))(?![0-9])"

_ALL: Final = re.compile(
    f"(?P<link>{_URL})|(?P<store>{_STORE})|(?P<phone>{_PHONE})|(?P<sum>(?<![a-z0-9])(?:{_PROSE}))"
    f"|(?P<price>{_PRICE})|(?P<bad>{_BAD_NUMBER})",
    re.ASCII,
)
# Most comments have nothing to hide. One character class first, so that the search skips at the speed of C.
_WORTH: Final = re.compile(
    r"十几|几十|8\+9"
    r"|[0-9@$฿₱₩₫¥%=~/第.买bp](?:(?<=[@$฿₱₩₫¥%=~/第])|(?<=\.)[a-z]|(?<=b)uy|(?<=p)hp|(?<=买) ?[0-9一二两三四五六]"
    rf"|(?<=[0-9])(?:[.,:几]|[0-9]{{3}}| [0-9]{{3}}|11|-[0-9]|0대"
    rf"| ?(?:{_UNIT}|{_MONEY_AFTER}|折|万|千|만|천|公斤|斤|kg|lb|k|tr|กิโล)))"
)
_MARK_OF: Final = {
    "link": " \ue000 ",
    "phone": "\ue001",
    "price": "\ue002",
    "sum": "\ue003",
    "bad": "\ue004",
    "store": "\ue005",
}


_GOES_ON: Final = re.compile(r"[0-9a-z]|[/.,:~][0-9]")


def _mark(match: re.Match[str]) -> str:
    return _MARK_OF[match.lastgroup or "sum"]


def mask(text: str, kept: tuple[str, ...] = ()) -> str:
    """Folded text with everything that cannot be an order replaced by marks (see MARKS).

    `kept` are words of the catalogue that look like something else: a size `36/38` is no date where it is sold.

    `visible` has removed any such mark that the viewer may have typed.
    """
    if _WORTH.search(text) is None:
        return text
    if not kept:
        return _ALL.sub(_mark, text)
    return _ALL.sub(lambda match: match[0] if _is_word(text, match.start(), kept) else _mark(match), text)


def _is_word(text: str, start: int, kept: tuple[str, ...]) -> bool:
    return any(text.startswith(word, start) and _GOES_ON.match(text, start + len(word)) is None for word in kept)
