"""Vietnamese: "chốt A1 xanh M"; a phone number counts as the claim word. Accents are meaningful and never guessed."""

from __future__ import annotations

from typing import Final

from livecommerce.comments import kinds
from livecommerce.comments.packs.pack import Pack, numerals

PACK: Final = Pack(
    name="vi",
    words=(
        (kinds.MISSPELT, None, "chot|huy|lay|doi|chot don|huy don|bot"),
        (
            kinds.CLAIM,
            "strong",
            (
                "cf|chốt|chốt đơn|em chốt|chị chốt|mình chốt|chốt cho em|chốt cho mình|chốt cho chị|chốt luôn|em lấy"
                "|mình lấy|chị lấy|lấy cho em|lấy cho mình|lấy cho chị|em mua|mình mua|chị mua|chốt ngay|chốt nhanh"
                "|chốt giúp em|chốt hộ|chốt hộ em|em đặt|mình đặt|chị đặt|chốt nè|lên đơn|lên đơn cho em|cho em chốt"
                "|cho mình chốt|cho chị chốt|chốt đơn cho em|tôi lấy|tôi mua|anh lấy|anh chốt|thôi chốt|thôi lấy"
                "|thôi em chốt|thôi cho em|chốt cho con|chốt cho mẹ|chốt cho bé|chốt cho má|chốt cho chồng"
                "|chốt cho ba|chốt cho cháu|thôi chốt cho con"
            ),
        ),
        (
            kinds.CLAIM,
            "attached",
            (
                "lấy|mua|đặt|đặt hàng|đặt mua|order|cho em|cho mình|cho chị|cho anh|cho c|cho e|muốn mua|em muốn mua"
                "|mình muốn mua|em muốn lấy|gom|hốt|giữ|giữ cho em|để cho em|để em|ship cho em|gửi em|gửi cho em"
                "|cho tôi|múc|húp|bán cho em|cho em lấy|cho em mua|cho em đặt|xin|em xin|em muốn|bán cho cô"
                "|bán cho chị|bán cho mình|bán cho tui|em mún|mún|muốn lấy|chỉ lấy|chỉ mua|chỉ chốt|nhờ đặt"
                "|nhờ em đặt|nhờ chốt|nhờ mua|nhờ em chốt|nhờ em mua"
            ),
        ),
        (
            kinds.IGNORE,
            None,
            (
                "xin lỗi|xin lỗi shop|tên|em|chị|anh|mình|tôi|bạn|shop|ạ|nha|nhé|nhá|nhen|nghen|nghe|ơi|giúp"
                "|giùm|dùm|hộ|với|vs|nè"
                "|nhỉ|luôn|đi"
                "|đó|á|ah|à|dạ|vâng|cảm ơn|cám ơn|cảm ơn shop|cảm ơn chị|e|c|a|ad|admin|c ơi|e ơi|chị ơi|shop ơi|cho"
                "|nhe|nha shop|hen|ha|hihi|của|mã|món|sản phẩm|sp|xin chào|chào|chào shop|làm ơn|vui lòng|ạh|ak|đây"
                "|này|nhaa|nhé shop|gái|bé|sốp|xốp|số|nàng|bác|cô|chú|nhà|nhà em|giúp em|giúp mình|giúp chị|thank|đc"
                "|ok shop|được|nghen con|nha con|con ơi|iu|cô ơi|với ạ|với nha|với nhé|với shop|với ạ shop|tui"
                "|ra khỏi đơn|khỏi đơn|ra khỏi giỏ"
            ),
        ),
        (
            kinds.SOFT,
            None,
            (
                "thêm|nữa|cũng|không sao|không vấn đề|gấp|hôm nay|ngay|vẫn|lại|thêm nữa|nhanh|ngay nhé|cũng được"
                "|không cần gấp|thì|là|có|mấy đứa|mấy bé|mấy đứa nhỏ|mấy bạn nhỏ"
                "|khỏi đi đâu|không hết|lẹ không hết|lẹ lẹ"
                "|nhanh không hết|lẹ lên|thay vào|thế vào|cháy túi|cháy túi rồi|viêm màng túi|sợ chật|tay bấm"
                "|cả phòng em|cả phòng|phòng em|khỏi nghĩ|chốt luôn khỏi nghĩ|khỏi suy nghĩ|mấy chị em|bấm lộn"
            ),
        ),
        (
            kinds.NEGATION,
            "want",
            (
                "không lấy|không mua|không chốt|không cần|không muốn|không đặt|ko lấy|ko mua|ko chốt|k lấy|k mua"
                "|hông lấy|không thích|ko muốn|không muốn mua|không muốn lấy|em không lấy|hổng lấy|khỏi lấy"
                "|thôi không lấy"
            ),
        ),
        (kinds.NEGATION, "asks at the end", "không|ko|k|hông|hổng|chưa|hem|kô"),
        (
            kinds.NEGATION,
            None,
            (
                "đừng|chẳng|đừng chốt|chưa chốt|đừng có|khỏi|chả|không phải|chưa lấy"
                "|chưa mua|đâu có|không có|kô|hem|không được|thôi khỏi|miễn|đâu mà"
            ),
        ),
        (kinds.ANY_MORE, "soft", "nữa|nữa đâu|nữa rồi"),
        (kinds.ANY_MORE, "doubt", "rồi"),
        (
            kinds.CANCEL,
            None,
            (
                "hủy|huỷ|không lấy nữa nha|hủy đơn|huỷ đơn|hủy giúp|hủy giúp em|huỷ giúp em|huỷ giúp|bỏ|cho em hủy"
                "|cho em huỷ"
                "|cho mình hủy|cho mình huỷ|xin hủy|xin huỷ|cho chị hủy|không lấy nữa|không mua nữa|không chốt nữa"
                "|không cần nữa|thôi không lấy nữa|không đặt nữa|ko lấy nữa|không muốn nữa|em hủy|em huỷ|hủy bỏ"
                "|huỷ bỏ|cancel|ko mua nữa|k lấy nữa|em không lấy nữa|muốn hủy|muốn huỷ|em muốn hủy|em muốn huỷ"
                "|hủy chốt|huỷ chốt|cho chị huỷ|mình hủy|mình huỷ|thôi không mua nữa|hủy cho em|huỷ cho em|em xin hủy"
                "|không muốn lấy nữa|không muốn mua nữa"
            ),
        ),
        (
            kinds.ORDER_NOUN,
            None,
            ("đơn|đơn hàng|đơn của em|đơn này|đơn em|đơn của mình|đơn vừa chốt|đơn kia|đơn mình|order|đơn chị"),
        ),
        (
            kinds.CHANGE,
            None,
            (
                "đổi|sửa|cho em đổi|đổi giúp|đổi giúp em|chuyển|đổi từ|đổi màu|đổi size|em đổi|mình đổi|muốn đổi"
                "|em muốn đổi|cho mình đổi|cho chị đổi|thay|sửa đơn|đổi đơn|chỉnh|sửa số lượng|đổi số lượng|đổi mã"
                "|đổi cho em|xin đổi|em xin đổi|đổi hộ"
            ),
        ),
        (
            kinds.CHANGE_TO,
            None,
            (
                "đổi thành|đổi sang|đổi qua|sửa thành|sửa lại thành|đổi lại thành|chuyển sang|chuyển thành|tăng lên"
                "|giảm còn|giảm xuống|giảm xuống còn|đổi lấy|đổi sang màu|đổi sang size|chuyển qua|sửa lại|tăng thành"
                "|cho em đổi sang|cho em đổi thành|đổi size sang|đổi màu sang"
            ),
        ),
        (
            kinds.TO,
            None,
            ("sang|thành|qua|lấy|sang màu|sang size|thành màu|thành size|bằng|qua màu|qua size|lên|còn"),
        ),
        (
            kinds.REDUCE,
            "topic",
            ("bớt|giảm|trừ|bớt đi|giảm đi|trừ đi|rút|rút lại|bớt lại|giảm lại|rút bớt|bớt cho em|giảm cho em"),
        ),
        (kinds.EVERY_VALUE, None, "đủ màu|mỗi màu|tất cả các màu|tất cả màu|full màu|đủ các màu|các màu"),
        (kinds.ALL, None, "hết|tất cả|toàn bộ|hết luôn|hết đơn|cả hai|cả 2|tất|hết tất cả|hết đi"),
        (kinds.EACH, None, "mỗi|mỗi cái|mỗi mã|mỗi loại|mỗi món|mỗi thứ|mỗi mẫu"),
        (kinds.AND, None, "và|với|cùng|cộng"),
        (kinds.PLUS, None, "cộng"),
        (
            kinds.DOUBT,
            "if",
            (
                "nếu|nhỡ|lỡ|giá mà|ước gì|ai bỏ|ai hủy|ai huỷ|ai nhả|khi nào lương về"
                "|khi nào có lương|chừng nào có lương|thì em lấy|thì lấy"
                "|thì chị lấy|thì mình lấy"
            ),
        ),
        (kinds.DOUBT, "but", "nhưng|nhưng mà"),
        (kinds.DOUBT, "joins", "tại|vì"),
        (
            kinds.DOUBT,
            "earlier",
            (
                "hồi nãy|lúc nãy|mẫu trước|cái trước|mã trước|cái kia|nãy|vừa nãy|vừa chốt|đã chốt lúc nãy"
                "|cái vừa nãy|cái hồi nãy|cái lúc nãy"
            ),
        ),
        (
            kinds.DOUBT,
            "when",
            ("mai|ngày mai|lát nữa|tí nữa|đợi|chờ|từ từ|để mai|hôm sau|bữa sau|muốn|thích|lần sau|có lương|lãnh lương"),
        ),
        (kinds.DOUBT, "soft", "thôi"),
        (
            kinds.DOUBT,
            None,
            (
                "mẫu đó|cái đó|con đó|mẫu kia|có thể|chắc|có lẽ|hay|hoặc|hay là|để em xem|xem đã|để xem|suy nghĩ"
                "|nghĩ đã|để em nghĩ|em nghĩ"
                "|chưa biết|khoan|phân vân|định|không biết"
                "|tính|hình như|chắc là|đang nghĩ|lưỡng lự|cân nhắc|để nghĩ|giỡn|đùa|thử"
                "|khoảng|tầm|ít nhất|suy nghĩ đã|nghĩ thêm"
                "|suy nghĩ thêm|hỏi chồng|hỏi vợ|để hỏi|để em hỏi|để chị hỏi|hỏi ý"
            ),
        ),
        (
            kinds.REPORT,
            "mistake",
            ("í lộn|lộn|à nhầm|nhầm|chốt nhầm|đặt nhầm|bấm nhầm|gõ nhầm|trùng|bị trùng|chốt trùng"),
        ),
        (
            kinds.DANGER,
            "past",
            ("hôm qua|tối qua|tuần trước|tháng trước|lần trước|live trước|bữa trước|năm ngoái|từng|suýt|suýt nữa|xém"),
        ),
        (
            kinds.DANGER,
            "others",
            (
                "nghe hoài|cứ chốt|người ta|mọi người|bạn kia|bạn trên|chị kia|ai cũng|nghe nói|bảo là|nói là"
                "|có người|cmt trên|bên kia|bên này|được tặng|đổi về|bạn ở trên|kêu chốt|hổng phải mình"
                "|không phải mình"
            ),
        ),
        (kinds.DANGER, "compare", "hơn|so với|bằng tiền"),
        (
            kinds.DANGER,
            "host",
            (
                "bấm|gõ|cmt|comment|bình luận|cú pháp|ví dụ|khách|cả nhà|các nàng|các bạn|còn lại|chỉ còn"
                "|lên kệ|mở bán|bên dưới|ai thích|ai lấy thì|ai mua thì|ai cần|ai ưng|lên sóng|chốt đi mấy chị"
                "|mấy chị ơi|mấy nàng|mấy bà ơi|ai lấy bấm|ai lấy gõ|ai mua bấm|đi nào"
            ),
        ),
        (
            kinds.DANGER,
            "game",
            (
                "bình chọn|vote|phiếu|điểm|tỉ số|tỷ số|trúng|quay số|minigame|game|vé|phòng|lớp|tầng|cổng"
                "|xe buýt|đề|đáp án"
            ),
        ),
        (kinds.SOFT, None, "thôi ạ|thôi nha|thôi nhé|thôi shop|lát em|lát|hông cần|không cần hộp|lát em ck"),
        (kinds.QUESTION, "denies", "đâu"),
        (
            kinds.SOFT,
            "keep",
            (
                "giữ nguyên|vẫn giữ|vẫn lấy|vẫn giữ nguyên|còn lại vẫn lấy|để đợt sau|để lần sau|để hôm khác"
                "|để bữa khác|mấy cái kia giữ nguyên|mấy cái kia|mấy món kia"
            ),
        ),
        (kinds.SOFT, None, "đổi ý|liền tay|liền|kẻo hết|kẻo lỡ"),
        (
            kinds.REPORT,
            None,
            (
                "chưa nhận được|chưa nhận được hàng|chưa nhận|chưa thấy hàng|chưa tới|chưa giao|giao sai|giao nhầm"
                "|giao thiếu|bị lỗi|bị hư|bị rách|hàng lỗi|trả hàng|hoàn tiền|hoàn hàng|thiếu hàng|không nhận được"
                "|chưa có hàng|gửi nhầm|gửi sai|gửi thiếu|bể|vỡ|hỏng|rách|chưa thấy giao|khiếu nại|mãi chưa|chưa về"
                ""
            ),
        ),
        (
            kinds.STATE,
            None,
            (
                "hết hàng|hết rồi|bán hết|đã mua|mua rồi|đã nhận|nhận rồi|đã chốt|chốt rồi|đã chuyển khoản"
                "|đã thanh toán|hết size|hết màu|đã lấy|lấy rồi|đã đặt|đặt rồi|nhận được rồi|đã nhận được|cháy hàng"
                "|đã hủy|đã huỷ|ck rồi"
            ),
        ),
        (
            kinds.QUESTION,
            None,
            (
                "không ạ|không shop|không vậy|không em|không chị|không nhỉ|không bạn|chưa shop|chưa ạ|ko shop|ko ạ|gì"
                "|nào|sao|bao giờ|khi nào|thế nào|ai|mấy|hả|hở|vậy|ntn|như thế nào|tại sao|vì sao|có được không"
                "|được không|đúng không|phải không|có phải|cho hỏi|cho em hỏi|hỏi|cho mình hỏi|cho chị hỏi|ở đâu"
                "|ra sao|làm sao|bao lâu|không ta|xin hỏi|mẫu nào|cái nào|đc ko|được ko|hông shop|hông ạ|hok|nhiêu"
                "|mấy cái|cách đổi|chỉ em cách|cách mua|cách chốt"
            ),
        ),
        (
            kinds.ASK,
            None,
            (
                "bao nhiêu|bao nhiêu tiền|giá|giá bao nhiêu|giá sao|nhiêu tiền|bao tiền|nhiêu|xin giá|còn không"
                "|còn hàng không|còn ko|còn k|còn size|còn màu|có size|có màu|mấy tiền|ib giá|báo giá|giá nhiêu"
                "|còn hàng|mấy màu|mấy size|có ship|phí ship bao nhiêu|ship bao nhiêu|inbox giá|có còn|cho xin giá"
                "|giá tiền|check giá|rep giá|giá ib|hơn nhỉ|đẹp hơn nhỉ"
            ),
        ),
        (
            kinds.TOPIC,
            None,
            (
                "ship|phí ship|phí|vận chuyển|hàng|size|màu|chất|vải|chất liệu|mét|kg|cân|cân nặng|chiều cao|eo|ngực"
                "|mông|dài|rộng|co giãn|còn|giảm giá|khuyến mãi|freeship|miễn phí|bảo hành|đổi trả|kí|ký|mặc vừa|mặc"
                "|form|dày|mỏng|giặt|phai|kiểm hàng|hàng thật|chính hãng|hạn sử dụng|ngọt|tươi|nặng|cao|vừa|rẻ"
                "|bớt không|sale|nước ngoài|tỉnh|giao"
            ),
        ),
        (
            kinds.THIS,
            None,
            ("cái này|mẫu này|mã này|con này|em này|bộ này|chiếc này|màu này|món này|áo này|váy này|túi này"),
        ),
        (
            kinds.AGREE,
            None,
            (
                "đúng|đúng rồi|chuẩn|đồng ý|haha|kaka|hihi|hehe|quá đúng|giống mình|giống em|thật|thiệt|chính xác"
                "|đồng quan điểm|chuẩn luôn|chuẩn rồi|chuẩn cơm mẹ nấu|buồn cười|mắc cười|vui quá|hài"
            ),
        ),
        (
            kinds.PRAISE,
            None,
            (
                "đẹp|đẹp quá|xinh|xinh quá|dễ thương|thích quá|tuyệt|tuyệt vời|xịn|ưng|ưng quá|mê|mê quá|đỉnh|yêu"
                "|ngon|hay quá|đẹp lắm|đáng yêu|đẹp xỉu|tốt|xinh xỉu|xinh lắm"
            ),
        ),
        (
            kinds.REMARK,
            None,
            (
                "ship về|gửi về|giao về|ship cod|cod|lấy tại shop|chuyển khoản|ck|giao tới|địa chỉ|địa chỉ cũ"
                "|địa chỉ như cũ|giao hàng|nhận hàng|thanh toán|trả tiền|tiền mặt|gộp đơn|ship chung|quà|làm quà"
                "|gói quà|ship tới|giao đến|ship đến|giao nhanh|ship nhanh|ship hỏa tốc|qua lấy|ghé lấy|ship gấp"
                "|gửi tới|gửi chung|đóng gói kỹ|gói kỹ|sđt|số điện thoại|đt|sdt|zalo|ở|quận|huyện|tp|ghi tên"
                "|gói chung|gói chung với|đóng chung|nhận ở|nhận tại|lấy ở|lấy tại|ship chung với|gửi chung với"
                "|qua shop lấy|em qua lấy|chị qua lấy|trả tiền mặt|chiều em chuyển khoản|chiều ck|tối ck"
                "|tối em chuyển khoản|tối chuyển khoản|mai ck|chiều chuyển khoản|em ck|lát ck|lát chuyển khoản"
                "|gộp chung|gộp chung đơn|gom chung|gộp|giao sau|giao trước|giao giờ hành chính|giao giờ|giao buổi"
                "|hóa đơn đỏ|hoá đơn đỏ|xuất hóa đơn|xuất hoá đơn|xuất hóa đơn đỏ|gom với|gom đơn|người nhận"
                "|chiều em qua lấy|tối em qua lấy|chiều qua lấy|mai em qua lấy|q1|q2|q3|q4|q5|q6|q7|q8|q9|q10|q11|q12"
                "|ship tỉnh|chuyển khoản rồi|mai em ghé lấy|tặng vợ|tặng mẹ"
                "|tặng chồng"
            ),
        ),
        (
            kinds.PERSON,
            None,
            (
                "mẹ|má|ba|bố|cha|vợ|chồng|bạn em|con|con gái|con trai|bà|ông|dì|chị gái|em gái|anh trai|em trai"
                "|bạn thân|mẹ em|ba em|bà ngoại|bà nội|chị em|mẹ chồng|đồng nghiệp|ông xã|bà xã|bạn mình|mẹ mình"
                "|vợ anh|chồng em|con em|ny|người yêu|cháu"
            ),
        ),
        (kinds.FOR, "words", "cho|giùm|dùm|hộ|giúp|dành cho|thay|thay cho"),
        (
            kinds.COUNTER,
            None,
            ("cái|chiếc|bộ|đôi|hộp|chai|lọ|con|quả|trái|gói|tuýp|hũ|cuốn|cây|pcs|pc|sp|sản phẩm|túi nhỏ|chiếc nha"),
        ),
        (
            kinds.BAD_COUNTER,
            None,
            ("tá|kg|ký|kí|cân|lạng|thùng|gram|g|lố|bao|tạ|mét|lít|kiện|chục|két|bịch|khay|yến|sọt"),
        ),
        (kinds.WORD_NUMBER, 11, "mười một"),
        (kinds.WORD_NUMBER, 12, "mười hai"),
        (kinds.WORD_NUMBER, 20, "hai mươi"),
        *numerals("một|hai|ba|bốn|năm|sáu|bảy|tám|chín|mười", kinds.WORD_NUMBER),
        (
            kinds.OPTION,
            None,
            (
                "đỏ|xanh|xanh lá|xanh dương|vàng|tím|hồng|đen|trắng|xám|nâu|cam|be|kem|bạc|xanh ngọc|rêu|xanh rêu"
                "|đỏ đô|xanh đen|xanh biển|ghi|than|red|green|blue|black|white|pink|small|medium|large|freesize|nhỏ"
                "|lớn"
            ),
        ),
        (kinds.NOUN, "topic", "màu|size|cỡ|sai|sz|kích cỡ|sai zờ"),
        (kinds.TIMES, None, "số lượng|sl"),
        (
            kinds.PROSE,
            None,
            (
                "bỏ qua|bỏ đi|bỏ nhà|đặt tên|mua sắm|lấy chồng|lấy vợ|đổi đời|bỏ lỡ|bỏ học|lấy lại|đổi gió"
                "|bỏ theo dõi|hết hồn|giữ gìn|bỏ rơi|bỏ bê|lấy lộc|chốt kèo"
            ),
        ),
        (kinds.TOPIC, "remain", "xuống còn|còn lại là|xuống"),
        (kinds.BAD_NUMBER, None, "chục mấy|mấy chục|mười mấy|hai mấy"),
        (
            kinds.SOFT,
            "time",
            (
                "thứ hai|thứ ba|thứ tư|thứ năm|thứ sáu|thứ bảy|chủ nhật|cuối tuần|chiều nay|tối nay|sáng mai"
                "|chiều mai|tối mai|trưa nay|trưa mai|tuần sau|tuần tới|sau giờ làm|giờ hành chính|thứ 2|thứ 3|thứ 4"
                "|thứ 5|thứ 6|thứ 7|cn này"
            ),
        ),
    ),
    phone_claims=True,
)
