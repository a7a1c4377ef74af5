"""Words for the people who run a show and for what a program says, by language: data for `reserved.py`.

Chinese variants are folded before anything is compared, so one of them is enough. A word stands as high as honest names
allow: `ANYWHERE` in a name, at its end (a title: `王店長` is how the manager of a shop is called, so a viewer may not
be it), as a word of it, or, where it is part of honest names (`系統家具迷`, `陳老闆`), as the whole name alone.
"""

from __future__ import annotations

# Scripts without spaces: found anywhere in a name.
ANYWHERE = {
    "zh": (
        "主持人", "主持", "主播", "官方", "客服", "小編", "版主", "管理員", "店家", "店長", "工作人員", "直播助理",
        "系統通知", "系統訊息", "系統消息", "系統公告", "系統提示", "系統管理",
    ),
    "ja": ("司会", "運営", "配信者", "管理人", "スタッフ"),
    "ko": (
        "진행자", "운영자", "운영팀", "운영진", "관리자", "공식", "판매자", "스태프", "스탭", "쇼호스트", "고객센터",
    ),
    "th": (
        "ผู้ดูแล", "แอดมิน", "ผู้ขาย", "เจ้าของร้าน", "พิธีกร", "ทีมงาน", "พนักงาน", "ฝ่ายบริการลูกค้า", "ข้อความระบบ",
    ),
}  # fmt: skip
# Of the same scripts: how a name ends. `書店主婦` is somebody else than the 店主.
AT_END = {
    "zh": ("店主", "賣家", "商家", "掌櫃", "店員", "場控", "房管"),
    "ja": ("店員", "出品者"),
    "ko": ("직원", "점장", "호스트"),
}
# As the whole name alone.
WHOLE = {
    "zh": ("老闆", "老闆娘", "系統", "播主", "助播", "員工", "本店", "平台"),
    "ja": ("公式",),
    "ko": ("시스템", "사장님", "매니저"),
    "th": ("แม่ค้า", "พ่อค้า", "ระบบ", "ทางร้าน"),
    "en": ("system", "support", "seller", "owner", "operator", "the seller", "the owner", "notice"),
    "vi": ("hệ thống", "hỗ trợ"),
}
# As whole words of a name, one after the other.
AS_WORDS = {
    "en": (
        "host", "cohost", "moderator", "mod", "mods", "admin", "administrator", "official", "staff", "streamer",
        "help desk", "customer service", "customer support", "customer care", "support team", "shop support",
        "shop owner", "store owner", "shop manager", "store manager", "system message", "system notice",
        "system alert", "live commerce",
    ),
    "vi": (
        "quản trị", "quản trị viên", "chủ shop", "chủ cửa hàng", "người bán", "nhân viên", "chính thức", "cskh",
        "chăm sóc khách hàng", "thông báo hệ thống",
    ),
    "fil": (
        "tindera", "tindero", "nagtitinda", "nagbebenta", "may-ari ng shop", "may-ari ng tindahan", "tagapamahala",
        "opisyal", "kawani",
        "tagapangasiwa",
    ),
}  # fmt: skip
# Ideographs that a quick eye takes for the other, a stroke or a dot apart; as Chinese is folded: simplified.
HAN_LOOK_ALIKES = str.maketrans(
    "旳宫恃侍菅埋容万糸曰末已巳士入玉戍冶沬柰壸亳汩",
    "的官持持管理客方系日未己己土人主戌治沫奈壶毫汨",
)
DASHES = "一丨ーｰㅡᅳ"  # letters and strokes that stand for the dash of a guest's name
