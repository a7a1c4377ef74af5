"""English words without the claim words: shared by the English and the Filipino pack."""

from __future__ import annotations

from typing import Final

from livecommerce.comments import kinds
from livecommerce.comments.packs.pack import numerals

WORDS: Final[tuple[tuple[int, object, str], ...]] = (
    (
        kinds.IGNORE,
        None,
        (
            "nvm|sorry|hi|hello|hey|there|host|seller|shop|admin|ma'am|mam|maam|sir|sis|dear|hun|hon|miss|the"
            "|a|an|of|in|me|my|i|just|u|you|so much|very much|thank|thankss|cheers|kindly|morning"
            "|good morning|good evening|good afternoon|good day|boss|girl|babe|mama|ladies|for me|have a nice day"
            "|god bless|bless|much appreciated|appreciated|appreciate it|many thanks|thanks a lot|thanks so much"
            "|item|code|with|number|no.|could you kindly|could you please|can you please|can you pls"
            "|could you pls|would you kindly|would you please|pls can you|please can you|can u pls|can u please"
            "|could u pls|could you be a star and|can you be a dear and|could you be a dear and|be a dear and"
            "|dearie|luv|darling|hunny|sweetie|ta|if you don't mind|if u dont mind|if you dont mind|if that's ok"
            "|if that's okay|if it's ok|gotta|got to"
        ),
    ),
    (
        kinds.SOFT,
        None,
        (
            "guys|everyone|why not|who cares|changed my mind|about time"
            "|also|too|another|more|again|now|yes|yeah|yep|yup|finally|asap|first|no problem|no worries|no rush"
            "|no hurry|add|take|need|total|only|i need|can't wait|cant wait|wow|oh|as well|then|please add"
            "|add me|put me down|today|one more|same price|just got off|got off|just got home|got home"
            "|just got here|just got the kids down|just got in|off the bus|on the bus|the bus|when my wages"
            "|same price tag|drop|price tag|no price tag|finally got one|got one before|before it's gone"
            "|before it sells out|before they're gone|finally got it|before it's sold out|before they sell out"
            "|to type|teaching me to type|typing for|type for|before i|before we|before they|leave at|leave off"
            "|not for me|it's not for me"
        ),
    ),
    (
        kinds.NEGATION,
        "want",
        (
            "don't want|dont want|do not want|don't need|dont need|do not need|i don't want|not buying"
            "|don't want to buy|won't take|not taking|don't like|didn't want|did not want|not interested in"
            "|not getting|don't wanna|dont wanna|not want"
        ),
    ),
    (
        kinds.NEGATION,
        None,
        (
            "no|not|don't|dont|do not|never|won't|wont|will not|can't|cant|cannot|can not|didn't|didnt|did not"
            "|doesn't|doesnt|isn't|isnt|wasn't|aren't|without|neither|nor|nope|nah|no thanks|no thank you"
            "|shouldn't|wouldn't|stop|skip|pass on|not yet|instead of|nobody|none|refuse"
        ),
    ),
    (kinds.ANY_MORE, "doubt", "anymore|any more|any longer|no more"),
    (
        kinds.CANCEL,
        None,
        (
            "cancel|cancel that|please cancel that|pls cancel that"
            "|cancel my|please cancel|pls cancel|canceling|cancelling|cancel it|cancel please"
            "|i'd like to cancel|want to cancel|i want to cancel|wanna cancel|i need to cancel|remove|remove my"
            "|delete|delete my|no longer want|i no longer want|no longer need|take off|cancel the|need to cancel"
            "|have to cancel|i have to cancel|would like to cancel|i would like to cancel|changed my mind on"
            "|can cancel|cancel mine|remove mine"
        ),
    ),
    (kinds.ORDER_NOUN, None, "order|orders|reservation|my order"),
    (
        kinds.CHANGE,
        None,
        (
            "change|swap|switch|exchange|replace|change my|swap my|switch my|change order|please change"
            "|pls change|update|update my|i want to change|want to change|i'd like to change|wanna change|edit"
            "|modify|convert|change the|i want to swap|want to swap|need to change|i need to change"
        ),
    ),
    (
        kinds.CHANGE_TO,
        None,
        (
            "make it|change to|change it to|change qty to|change quantity to|switch to|switch it to|swap to"
            "|swap it to|changed to|change into|update to|update it to|change mine to|swap for|change that to"
            "|change order to|change my order to|make that|change it into|swap it for|please make it|pls make it"
        ),
    ),
    (kinds.TO, None, "to|into|with"),
    (kinds.REDUCE, None, "minus|less|reduce by|lessen"),
    (
        kinds.EVERY_VALUE,
        None,
        (
            "all colors|all colours|every color|every colour|each color|each colour|one of each color"
            "|one of each colour|all the colors|all the colours|in all colors|in every color"
        ),
    ),
    (kinds.ALL, None, "all|everything|every|both|whole|entire"),
    (kinds.EACH, None, "each|ea|apiece"),
    (kinds.AND, None, "and|plus|n|then"),
    (kinds.PLUS, None, "plus"),
    (
        kinds.DOUBT,
        None,
        (
            "that one|the one|the one you|maybe|might|perhaps|possibly|probably|not sure|unsure|think|thinking"
            "|i think|thinking about|or"
            "|either|should|let me|next time|considering|i guess|guess|hope"
            "|hopefully|wish|wait|hold on|hmm|hmmm|hmmmm|idk|i don't know|dont know|don't know|almost|nearly"
            "|was going to|could|would|might be|not 100|approx|approximately"
            "|up to|whichever|whatever|undecided|debating|tempted|i'll think|let me think"
            "|kidding|jk|just kidding|test|testing|pending|tentative|reserve for later|still deciding|deciding"
            "|can't decide|next one|next"
        ),
    ),
    (kinds.DOUBT, "soft", "instead"),
    (kinds.DOUBT, "when", "about|after|later|until|at least|when my|when payday|when wages|around"),
    (kinds.DOUBT, "but", "but|though"),
    (kinds.DOUBT, "joins", "because|cuz|coz"),
    (
        kinds.DOUBT,
        "if",
        ("if|unless|depends|provided|as long as|in case|when i|once|only if|would have|would've|had payday|if only"),
    ),
    (
        kinds.DOUBT,
        "earlier",
        "previous|the last|earlier|before|just now|a while ago|the other|other one|last one|wanted",
    ),
    (
        kinds.REPORT,
        "mistake",
        (
            "oops|i mean|wait no|no wait|scratch that|mistake|by mistake|accident|accidentally|duplicate|twice"
            "|wrong size|wrong color|typo"
        ),
    ),
    (
        kinds.DANGER,
        "past",
        (
            "yesterday|last week|last month|last night|last time|last year|last live|ago|back in|used to"
            "|the other day"
            "|still have|i won|won|came in|arrived|she bought|he bought|we bought|tried|delivered"
        ),
    ),
    (
        kinds.DANGER,
        "others",
        (
            "she said|he said|they said|she says|he says|someone said|people say|everyone's|everyone is|everybody's"
            "|everybody|someone|somebody|says|said|told|yelling|shouting|copying|counts as|she wants|he wants"
            "|they want"
            "|people|who's|above|same as her|her order|his order|someone's|someone else|anyone|skipped me"
            "|way ahead of|was a bot|under it"
        ),
    ),
    (kinds.DANGER, "compare", "better than|compared|versus|vs|prettier than|nicer than|rather|prefer|than"),
    (
        kinds.DANGER,
        "host",
        (
            "type|wrote|typed|put|comment|comments|write|post|say|just say|to order|to claim|to win|example"
            "|format|e.g|up next"
            "|coming up|dropping|last call|going once|listed|remaining|per order|limit"
        ),
    ),
    (
        kinds.DANGER,
        "game",
        (
            "vote|team|game|score|points|raffle|giveaway|spin|wheel|bingo|trivia|quiz|answer|prize|gate|flight|seat"
            "|room|bus|level|lottery|password|locker|parking|platform|exit|apartment|unit number|opening band"
        ),
    ),
    (
        kinds.REPORT,
        None,
        (
            "haven't received|havent received|have not received|not received|didn't receive|did not receive"
            "|didnt receive|still waiting|never arrived|damaged|broken|wrong item|wrong|refund|return|defective"
            "|missing|hasn't arrived|hasnt arrived|not arrived|haven't gotten|didn't get|didnt get|never got"
            "|haven't got|never received|hasn't shipped|not shipped|not yet received|torn|ripped|complaint"
            "|where is my|where's my|order status|tracking|not delivered"
            "|double charged|rotten|went bad|moldy|mouldy|bruised|shrank|shrunk|fell apart|went off"
        ),
    ),
    (
        kinds.STATE,
        None,
        (
            "sold out|out of stock|bought|ordered|i ordered|received|paid|already ordered|already bought"
            "|cancelled|canceled|already sold|was sold|already|got it|i got|got|claimed|no stock|out already"
            "|is gone|gone|ran out|restocked"
        ),
    ),
    (
        kinds.QUESTION,
        None,
        (
            "?|what|what's|whats|which|how|how's|when|where|why|who|whose|can i|can you|could you|could i|do you"
            "|does it|does|is it|are there|is there|may i|can we|is this|how do|how can|how to|does this|is the"
            "|are these|are you|would you|will you|any chance|is that|wondering|question|pm|is it true|how about"
        ),
    ),
    (kinds.QUESTION_START, None, "is|are|do|did|can|will|would|could|may|any|have|has|was|were|am|should"),
    (
        kinds.ASK,
        None,
        (
            "how much|how much is|how many left|price|price please|pm price|price check|how many|how much for"
            "|still available|any left|in stock|what size|what sizes|what colors|what colours|do you ship"
            "|do you have|sold out already|how long|available|avail|still avail|how big|how small"
            "|do you still have|still have|is it available|how much shipping|more info|details|what's the price"
            "|what is the price|stock left|any stock|is there any|got any|restock|in stock?|last price|best price"
            "|cod available|how heavy"
        ),
    ),
    (
        kinds.TOPIC,
        None,
        (
            "cost|costs|shipping|ship|ships|stock|stocks|availability|sizes|sizing|color|colour|colors|colours"
            "|material|fabric|discount|restocking|length|fit|fits|quality|measurements|weight|delivery"
            "|deliver|express|cheaper|sale|promo|stretchy|stretch|cotton|washable|true to size|run small|run big"
            "|runs|authentic|original|warranty|expiry|fresh|taste|payment|pay|cod|pickup|return policy|returns"
            "|prices|big|small size|large size|bust|waist|height|model|wearing|link|links|bundle|international"
            "|fee|sf|freebie|thick|thin|see through|pockets|lining|waterproof|wash|shrink|fade"
        ),
    ),
    (kinds.TOPIC, "matter", "left"),
    (kinds.SOFT, "keep", "stays|still want|keep|keeping"),
    (kinds.THIS, None, "this|this one|these"),
    (kinds.THIS, "it", "it"),
    (
        kinds.AGREE,
        None,
        (
            "what she said|what he said|what they said"
            "|so true|true|same|agree|agreed|i agree|same here|exactly|facts|right|me too|real|fr|funny|omg"
            "|for real|indeed|totally|absolutely|100%|this is so true|same thought|same question|relate"
            "|lols|hahaha|haha|hehe|hehehe|who else|like if|to that|to this|on that|with you|for that|facts only"
        ),
    ),
    (
        kinds.PRAISE,
        None,
        (
            "love|love it|love this|nice|cute|pretty|beautiful|gorgeous|great|awesome|perfect|lovely|amazing|cool"
            "|so cute|good|looks good|so pretty|so nice|so beautiful|so good|i love it|excited|so excited|yay"
            "|yummy|stunning|very nice|very pretty|wonderful|fab|fabulous|best|favorite|so happy|happy|like it"
            "|i like it|super cute|what a bargain|what a deal|what a steal|what a price"
        ),
    ),
    (
        kinds.REMARK,
        None,
        (
            "for pickup|pickup|pick up|cod|cash on delivery|deliver to|deliver|delivery|ship to|ship it to|ship"
            "|mail|same address|address|gcash|paypal|venmo|meet up|meetup|invoice|local pickup|zelle|card|cash"
            "|bank transfer|combine|combined shipping|combine shipping|ship together|same order|will pay"
            "|paying now|gift|for gift|as a gift|gift wrap|lbc|j&t|send to|maya|rush|ship asap|lalamove|shopee"
            "|pick-up|e-transfer|cashapp|pay later|pay tonight|payment tomorrow|transfer|bpi|bdo|ship with"
            "|add to my order|add to my box|paying|i'll pay|picking up|pick up at|will zelle|will gcash"
            "|will venmo|paying via|send invoice|paynow|paynow later|paid on venmo|collect at|on venmo"
        ),
    ),
    (
        kinds.PERSON,
        None,
        (
            "mom|mum|mother|dad|father|sister|brother|wife|husband|friend|bestie|daughter|son|grandma|grandpa"
            "|grandmother|grandfather|aunt|auntie|uncle|cousin|my boss|neighbor|neighbour|niece|nephew|hubby|kids"
            "|kid|baby|girlfriend|boyfriend|gf|bf|coworker|mother in law|mil|sis in law|him|her|them|mommy|daddy"
            "|family|officemate|roommate|best friend"
        ),
    ),
    (kinds.FOR, "words", "for|on behalf of"),
    (
        kinds.COUNTER,
        None,
        (
            "pcs|pc|piece|pieces|pce|pces|pcs.|pc.|unit|units|set|sets|box|boxes|pair|pairs|pack|packs|piece of"
            "|pieces of|pcs of|pc of"
        ),
    ),
    (
        kinds.BAD_COUNTER,
        None,
        (
            "dozen|dozens|dz|doz|kg|kgs|kilo|kilos|g|gram|grams|lb|lbs|pound|pounds|oz|case|cases|carton|cartons"
            "|crate|bundle|bundles|gallon|liter|liters|ml|yard|yards|meter|meters|tray|trays|sack|sacks|bag of"
            "|pallet|tons|ton|bulk"
        ),
    ),
    *numerals("one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve", kinds.WORD_NUMBER),
    (
        kinds.OPTION,
        None,
        (
            "red|orange|yellow|green|blue|purple|black|white|gray|grey|pink|brown|beige|navy|gold|silver|khaki"
            "|cream|maroon|violet|tan|teal|ivory|lavender|mint|turquoise|burgundy|peach|small|medium|large|xsmall"
            "|xlarge|extra large|extra small|x-large|x-small|light blue|dark blue|dark green|navy blue|sky blue"
            "|nude|mustard|olive|charcoal|fuchsia|magenta|lilac"
        ),
    ),
    (kinds.NOUN, "topic", "size|sz|color|colour|in size|in color|in colour|sized|size:|color:"),
    (kinds.AGREE, "echo", "on what|to what"),
    (kinds.REDUCE, "topic", "take off|knock off|reduce|cut|lower"),
    (kinds.REDUCE, "host", "drop"),
    (kinds.REDUCE, "set", "make|set"),
    (kinds.OBJECT, "from", "from"),
    (kinds.DANGER, "hypothetical", "like i'd|like i would|i'd ever|as if i'd|as if"),
    (
        kinds.SOFT,
        "time",
        (
            "tonight|tomorrow|tmr|tmrw|this week|next week|this weekend|the weekend|after work|at noon"
            "|this evening|this afternoon|in the morning|tomorrow morning|tomorrow night|end of the month"
            "|around noon|by noon|monday|tuesday|wednesday|thursday|friday|saturday|sunday|on monday|by monday"
            "|before monday|this monday|next monday|on tuesday|by tuesday|before tuesday|this tuesday"
            "|next tuesday|on wednesday|by wednesday|before wednesday|this wednesday|next wednesday|on thursday"
            "|by thursday|before thursday|this thursday|next thursday|on friday|by friday|before friday"
            "|this friday|next friday|on saturday|by saturday|before saturday|this saturday|next saturday"
            "|on sunday|by sunday|before sunday|this sunday|next sunday"
        ),
    ),
)
