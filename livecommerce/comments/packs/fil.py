"""Filipino (Taglish): "mine", "pa-mine po". English question, doubt and change words count as well."""

from __future__ import annotations

from typing import Final

from livecommerce.comments import kinds
from livecommerce.comments.packs import english
from livecommerce.comments.packs.pack import Pack, numerals

PACK: Final = Pack(
    name="fil",
    words=(
        (
            kinds.CLAIM,
            "strong",
            (
                "mine|pa-mine|pa mine|pamine|mine ko|i-mine ko|imine ko|akin|akin na|akin yan|akin to|sa akin|grab"
                "|steal|mines|mine na|mine ko na|pa-grab|pa grab|pa-steal|mine yan|mine to|akin na yan|akin na lang"
                "|mine agad|mine mine|mine for me|mien|mnie|mine po ako|akin na po|akoa|akoa ang|akoa na|akon|akon na"
                ""
            ),
        ),
        (
            kinds.CLAIM,
            "attached",
            (
                "pa-lock|palock|pa lock|lock ko|kunin ko|kukunin ko|bili ako|bibili ako|bilhin ko|bibilhin ko|pabili"
                "|pa-order|pa order|paorder"
                "|order ako|order ko|oorder ako|pa-reserve|pa reserve|reserve ko|get ko|gusto ko|gusto ko ng"
                "|pabili po ng|pabili ng|pa-get|kuha ako|kuha ko|pakuha|order po ako|order po ako ng|pa-add"
                "|gusto ko po|gusto ko po ng|pabili po|bibili po ako|bili po ako|kukuha ako|kukuha po ako|kunin ko po"
                "|kukunin ko po|paki-reserve|paki-reserve po ng|pakireserve|paki-mine|paki-lista|pakilista|palista"
                "|pa-lista|lista mo ako|paki-reserve ng|pareserve|pa-reserve po ng"
            ),
        ),
        *(row for row in english.WORDS if row[0] != kinds.ORDER_NOUN),
        (
            kinds.ORDER_NOUN,
            None,
            (
                "huling mine|huling mine ko|huling order|huling order ko|last mine|last mine ko|order|orders|order ko"
                "|orders ko|reservation|yung order|yung order ko|huli kong mine|huli kong order|yung huli kong mine"
                "|yung huli kong order"
            ),
        ),
        (
            kinds.IGNORE,
            None,
            (
                "po|pong|opo|ho|nung|sakin|nvm|pasensya na|pasensya|yung|ung|iyong|ang|ng|sa|ko|na|nga|ate|kuya|mamsh"
                "|madam|mumsh|momsh|momshie|besh|lods|idol"
                "|salamat|maraming salamat|salamat po|thank you po|lang|ha|naman|eh|ate ko|inay|madame|mga|si|ni|rin"
                "|din|daw|pala|ah|oh|uy|hoy|sana ol ha|paki|pakiusap|nyo|niyo|ninyo|kayo|ka|mo|ako|namin|natin|amin"
                "|kami|na po|po ako|poh|pu|powz|miss|beh|kong|nang|akong|yong|nyong|ninyong|sis po|mader|sa akin po"
                "|palihug|palihog"
            ),
        ),
        (
            kinds.SOFT,
            None,
            (
                "pa|na lang|nalang"
                "|isa pa|walang problema|okay lang|ok lang|sige|sige po|ingat|oo|agad|na rin|dagdag|padagdag"
                "|pahabol|sakto|wala akong pakialam|wala akong paki|walang aagaw|walang agawan|walang kukuha"
                "|wala pa kong|wala pa akong|pero laban|laban|nag-type|nagta-type|pag-uwi|paguwi|pag uwi|same presyo"
                "|magkasing presyo|parehong presyo|ilang live|ilang araw|ilang beses|ilang linggo|ilang buwan"
                "|ilang taon|ilang oras|ihabol|habol|isabay sa shipout|wala akong pakialam sa presyo|pag-intindi"
                "|sa pag-intindi|pag intindi|isa sa akin|isa sakin|dalawa sa akin|dalawa sakin|officemate"
                "|nag-back out|nagback out|ugma|pero worth it|worth it|pero keri|pero go"
            ),
        ),
        (
            kinds.NEGATION,
            "want",
            (
                "ayaw|ayoko|ayaw ko|hindi ko na|di ko na|hindi ko kukunin|ayoko ng|ayaw ko ng|di ko gusto|ayaw ko po"
                "|ayoko po|ayaw po|di ko kukunin|hindi ko gusto"
            ),
        ),
        (
            kinds.NEGATION,
            None,
            (
                "wag|huwag|'wag|hindi|di|hindi po|di po|hindi ko|di ko|wala|walang|hindi pa|di pa|wag na|huwag na"
                "|wag muna|huwag muna|wag po|hindi ako|di ako|di naman|hindi naman|wag nyo|wala akong|hinde|hndi"
            ),
        ),
        (
            kinds.CANCEL,
            None,
            (
                "hindi ko na po kukunin|di ko na po kukunin|hindi ko na kinukuha|ayoko na po ng|ayaw ko na po ng"
                "|ayaw ko na nung|ayaw ko na po nung|pa-cancel|pa cancel|pa-cancel po|back out|back out po|backout"
                "|mag-back out|magback out|mag back out|pacancel|i-cancel|icancel|cancel ko|cancel na|cancel ko na"
                "|kansel|kanselahin"
                "|pakansel|paki-cancel|paki cancel|ayaw ko na|ayoko na|ayaw ko na po|ayoko na po|ayaw na|ayaw na po"
                "|di ko na gusto|hindi ko na gusto|di ko na kukunin|hindi ko na kukunin|pa-remove|pa remove"
                "|pakicancel|di na ako|hindi na ako|ayaw ko na ng|ayoko na ng|ayoko na sa|ayaw ko na sa|hindi na po"
                "|di na po|cancel mine|ayaw na namin|di ko na kailangan|hindi ko na kailangan|di na po ako tutuloy"
                "|di na ako tutuloy|hindi na ako tutuloy|hindi na po ako tutuloy|di na po ako tutuloy sa"
                "|di na ako tutuloy sa|hindi na ako tutuloy sa|hindi na po ako tutuloy sa|wag na pala|wag na po pala"
                "|huwag na po pala|huwag na pala"
            ),
        ),
        (
            kinds.CHANGE,
            None,
            (
                "pa-change|pa change|papalit|palit|papalitan|palitan|pa-swap|pa swap|paki-change|pachange|paki palit"
                "|ipalit|pa-palit|pa-switch|i-change|papalit po|gawin"
            ),
        ),
        (
            kinds.CHANGE_TO,
            None,
            (
                "gawing|gawin ng|gawin mo|gawin na lang|gawin nalang|gawin niyong|gawin nyong|gawin nyo|palit sa"
                "|pa-change to|pa change to|papalit sa|papalit ng|palitan ng|palit ng|palitan mo ng|gawin po"
                "|gawin niyo|gawin niyo ng|gawin nyo ng"
            ),
        ),
        (kinds.TO, "particle", "ng|sa"),
        (
            kinds.REDUCE,
            None,
            ("tanggalan ng|tanggalan|tanggal|bawas|bawasan|bawasan ng|pabawas|pabawas ng|bawas ng|minus|kaltas"),
        ),
        (kinds.EVERY_VALUE, None, "lahat ng kulay|bawat kulay|all colors"),
        (kinds.ALL, None, "lahat|lahat-lahat|lahat ng|lahat po|buo"),
        (kinds.EACH, None, "tig|tig-|bawat|bawat isa|tigi"),
        (kinds.AND, None, "at|tsaka|saka|at saka|pati|kag|ug"),
        (
            kinds.DOUBT,
            "if",
            (
                "kung|pag|kapag|kung pwede|kung meron|pag meron|kung may|pag may|pag sumahod|depende|basta|pag libre"
                "|kung libre|magma-mine|dun pa lang|saka pa lang"
            ),
        ),
        (kinds.DOUBT, "but", "pero|kaso"),
        (kinds.DOUBT, "joins", "kasi|dahil|tapos|kahit|tas"),
        (kinds.DOUBT, "earlier", "yung isa|yung nauna|yung kanina|kanina|kanina lang|kanina pa"),
        (kinds.DOUBT, "when", "muna|mamaya|saglit|teka|wait lang|sandali|sahod|next time|sa susunod"),
        (
            kinds.DOUBT,
            None,
            (
                "baka|siguro|o|parang|yata|ata|isip|pag-isipan|isipin"
                "|pag-iisipan|pag iisipan|iniisip|dapat|balak|nagdadalawang isip|hula|tingnan|tignan"
                "|bahala na"
                "|kunwari|joke|joke lang|char|charot"
                ""
            ),
        ),
        (
            kinds.DANGER,
            "past",
            (
                "nung isang|nung nakaraan|nung linggo|sa kabila|kabilang live|kabila|kinuha ko|kaka-deliver"
                "|kakadeliver|kaka deliver|kakarating|kararating|nadeliver|na-deliver|kahapon|kagabi"
                "|noong|last live|naka-mine|nakamine|nag-mine|nagmine|nag mine|noon|dati akong"
                "|muntik|muntik na|nakuha ko na"
            ),
        ),
        (
            kinds.DANGER,
            "others",
            (
                "sabi|sabi ni|sabi niya|sabi nya|daw|raw|lahat kayo|yung iba|iba|mga tao|mine nyo|mine niyo"
                "|kayo na|mag-mine|magmine|mag mine|nagsabi|nahulog|nakasabit|ay para sa"
            ),
        ),
        (
            kinds.DANGER,
            "host",
            (
                "natira|natitira|naiwan|itype|i-type|comment nyo|i-comment|sabihin|ilagay|a day|per day"
                "|last na|last 2|huling|mga mamsh mine"
            ),
        ),
        (kinds.DANGER, "game", "boto|iboto|laro|raffle po|pa-raffle|vitamin|vitamins|room|gate|pabunot|bunot"),
        (kinds.REPORT, "mistake", "namali|mali ako|nagkamali|na-double|nadoble|doble|maling code|mali pala"),
        (kinds.REPORT, "oops", "ay|ay mali|ay teka"),
        (kinds.SOFT, "keep", "ganun pa rin|ituloy|tuloy pa rin|mine pa rin"),
        (
            kinds.REPORT,
            None,
            (
                "di pa dumating|hindi pa dumating|wala pa yung order|di ko pa natanggap|hindi ko pa natanggap"
                "|wala pa order ko|sira|may sira|mali|maling item|kulang|di pa nadating|hindi pa nadeliver"
                "|di pa nadeliver|sira-sira|nasaan na|nasan na|asan na|wala pa po|hindi ko natanggap|di ko natanggap"
                "|di ko pa natatanggap|hindi ko pa natatanggap|di pa natatanggap|hindi pa natatanggap"
                "|di ko pa nakukuha"
                "|hindi ko pa nakukuha|di pa nakukuha|di pa dumarating|hindi pa dumarating|di pa dumadating"
                "|hindi pa dumadating|di pa nagdeliver|hindi pa nagdeliver"
                "|wala pa rin|wala pa din|wala pa|balik|ibalik|refund po|natanggap na sira|narereceive"
                "|di ko pa narereceive|hindi ko pa narereceive|di pa narereceive"
            ),
        ),
        (
            kinds.STATE,
            None,
            (
                "ubos|ubos na|naubos|sold out na|wala na|nabili|nabili ko na|bumili na|nakabili na|natanggap"
                "|natanggap ko na|bayad na|nagbayad na|na-mine|namine|na mine|mine na ng iba|naunahan|nakuha"
            ),
        ),
        (
            kinds.QUESTION,
            None,
            (
                "ba|anong|ano|sino|kailan|saan|bakit|paano|pano|alin|aling|kelan|ilan|ilang|pwede ba|pwede|puwede"
                "|puede|pede|meron ba|meron|mayroon|gaano|kanino|totoo ba|san po|san kayo|san ang|san yung|san ba"
                "|san pwede|san mabibili|san galing|san banda|san store"
            ),
        ),
        (
            kinds.ASK,
            None,
            (
                "paano mag order|paano po mag order|pano mag order|pano po mag order|paano umorder|paano po umorder"
                "|paano mag-order|paano po mag-order|paano mag mine|paano po mag mine|paano magbayad"
                "|paano po magbayad"
                "|magkano|hm|hm po|how much po|magkano po|mgkano|magkanu|meron pa|may stock|may stock pa|avail pa"
                "|available pa|pa-hm|presyo|price po|ilan na lang|ilan pa|may pa|meron pa ba|last price po"
                "|magkano lahat|tagpila|pila|kelan darating|kelan po darating|kelan dating|kelan po dating"
                "|kailan darating|kailan po darating|kelan ang dating|pano umorder|pano po umorder"
            ),
        ),
        (
            kinds.TOPIC,
            None,
            (
                "kulay|tela|sukat|bayad|padala|shipping fee|sf|tawad|presyo|mura|stocks|pagpadala|malaki|maliit"
                "|makapal|manipis|kasya|laki|haba|cod|mabigat|lalamove|deliver|nationwide"
            ),
        ),
        (kinds.THIS, None, "ito|eto|yan|yun|iyan|iyon|'to|to po|yang|nito|itong|yan po|ito po|etong"),
        (
            kinds.AGREE,
            None,
            (
                "sana all|sana ol|totoo|tama|korek|true po|relate much|agree po|legit|haha|hahaha|joy miner"
                "|joy miners|joyminer|same po|kaya nga|oo nga|mismo"
            ),
        ),
        (
            kinds.PRAISE,
            None,
            (
                "ganda|ang ganda|maganda|cute naman|ganda naman|bet|bet ko|love ko|galing|ang cute|ang pretty|sulit"
                "|panalo|gandaaa|sarap|masarap"
            ),
        ),
        (
            kinds.REMARK,
            None,
            (
                "pasabay|pasabay po|isabay po|pickup po|para sa bahay|cod po|gcash po|bayad bukas|bayaran ko"
                "|padala sa|ipadala sa|deliver sa"
                "|sabay na|isabay|isama|i-combine|pa-ship|pa ship|same address po|sa dati|ship sa|dati pa rin"
                "|paki-ship|pang gift|pangregalo|regalo|gcash ko mamaya|gcash mamaya|bayad mamaya|gcash later"
                "|gcash bukas|bayad bukas po|cod mamaya|bayad later|sa san|pa-j&t|meet up|bayad via gcash|bayad via"
                "|bayad gcash|via gcash|bayad sa gcash|bayad thru gcash|bayad sa|iwan sa|pakiiwan sa|iwan|bayad na"
                "|bayad na po|bayad via maya|pick up sa"
            ),
        ),
        (
            kinds.PERSON,
            None,
            (
                "nanay|mama|tatay|papa|asawa|anak|kapatid|lola|lolo|tita|tito|pinsan|kaibigan|jowa|pamangkin|biyenan"
                "|misis|mister|friend ko|mommy|byenan|inaanak|mama ko|nanay ko|asawa ko|anak ko|ate ko|kapatid ko"
            ),
        ),
        (kinds.FOR, "words", "para kay|para sa|para kina|kay|para|regalo kay|pang"),
        (kinds.COUNTER, None, "piraso|pirasong|pcs po|pares|kahon|balot|set na|na piraso"),
        (kinds.BAD_COUNTER, None, "dosena|kilong|sako|karton|kaban|trey|tali|bundok"),
        *numerals("isa|dalawa|tatlo|apat|lima|anim|pito|walo|siyam|sampu", kinds.WORD_NUMBER),
        *numerals("isang|dalawang|tatlong|apat na|limang|anim na|pitong|walong|siyam na|sampung", kinds.WORD_NUMBER),
        (kinds.WORD_NUMBER, 2, "dos"),
        (kinds.WORD_NUMBER, 3, "tres"),
        (kinds.WORD_NUMBER, 4, "kwatro"),
        (kinds.WORD_NUMBER, 5, "singko"),
        (
            kinds.OPTION,
            None,
            ("pula|itim|puti|asul|berde|dilaw|kahel|lila|kayumanggi|rosas|ginto|pilak|malaking|maliit na"),
        ),
        (kinds.PROSE, None, "xs ako|s ako|m ako|l ako|xl ako|xxl ako|small ako|medium ako|large ako"),
        (kinds.NOUN, "topic", "kulay|na kulay|kulay na|sukat|size na|na size"),
        (kinds.QUANTITY, (1, "each"), "isa-isa|tig-isa|tig isa|tigisa|tig-iisa|tig iisa"),
        (kinds.QUESTION_START, None, "may|san"),
        (kinds.DOUBT, "story", "sana"),
        (kinds.DANGER, "compare", "kesa|kaysa|mas okay"),
        (
            kinds.SOFT,
            "time",
            (
                "bukas|bukas ng umaga|bukas ng gabi|ngayong gabi|mamayang gabi|mamayang hapon|sa weekend"
                "|sa susunod na linggo|sa sahod|pagkasweldo|pag sahod ko|sa lunes|sa martes|sa miyerkules|sa huwebes"
                "|sa biyernes|sa sabado|sa linggo|sa monday|sa tuesday|sa wednesday|sa thursday|sa friday|sa saturday"
                "|sa sunday|ngayong linggo"
            ),
        ),
        (kinds.SOFT, "named", "para kay lola|para kay mama|para kay nanay"),
    ),
)
