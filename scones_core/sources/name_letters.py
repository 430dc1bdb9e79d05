"""Which letters and characters the words of a language are written with, and where they do not stand."""

import re

# The letters beside a to z; a reading is that of one language. Norwegian stands for Danish, Czech for Slovak as well.
LANGUAGES = {
    "German": "äöüß",
    "French": "àâæçéèêëîïôùûüÿœ",
    "Spanish": "áéíñóúü",
    "Portuguese": "áâãàçéêíóôõúü",
    "Italian": "àèéìîòóù",
    "Swedish": "åäöé",
    "Norwegian": "åæøé",
    "Icelandic": "áæðéíóöúýþ",
    "Estonian": "äõöüšž",
    "Latvian": "āčēģīķļņšūž",
    "Lithuanian": "ąčęėįšųūž",
    "Polish": "ąćęłńóśźż",
    "Czech": "áäčďéěíĺľňóôŕřšťúůýž",
    "Hungarian": "áéíóöőúüű",
    "Croatian": "čćđšž",
    "Romanian": "ăâîşţ",
    "Turkish": "âçğîıöşüû",
    "Russian": "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    "Ukrainian": "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя",
}
# Where they do not stand, and do where another language's letters are read in the wrong code page.
MISPLACED = {
    "Portuguese": re.compile(r"ã(?![eo]|s?\b)|õ(?!e)|^(?=.*[ãõ]).*([^\Wrs])\1"),  # “ão”, “ãe”, “õe”, “lã” are right
    "Romanian": re.compile(r"ăo"),
    "Icelandic": re.compile(r"\bð|\Bþ"),
    "Latvian": re.compile(r"[ģķ](?![eiēī])|[bcdfgkmpstvz][ģķ]|[qwxy]"),
    "Lithuanian": re.compile(r"[ąįų][aeiouy]|[ęų](?![sz]|\b)|[qwx]"),
    "Turkish": re.compile(r"(?<![aeıioöuü])ğ|^(?=.*ğ).*([jqwx]|\b[^\Waeıioöuü]{2})"),
    "Russian": re.compile(r"\b[ьы]"),
    "Ukrainian": re.compile(r"\bь"),
}
# Words of other scripts: some letters stand at the end only, or never there. A Greek word has one accent.
HEBREW = re.compile("[אבגדהוזחטיכלמנסעפצקרשת]*[אבגדהוזחטילסעפקרשתךםןףץ]")
GREEK = re.compile("(?=[^άέήίόύώ]*[Ά-Ώάέήίόύώ][^άέήίόύώ]*$)[Ά-Ω]?[α-ρσ-ωάέήίόύώϊϋ]*[α-ρςτ-ωάέήίόύώϊϋ]")
ARABIC = re.compile("[ءآأؤإئابتثجحخدذرزسشصضطظعغفقكلمنهوي]*[ء-ي]")

# Source: the 240 characters of grades 1 and 2, 学年別漢字配当表, Japanese Ministry of Education, 2017
GRADES = (
    "一右雨円王音下火花貝学気九休玉金空月犬見五口校左三山子四糸字耳七車手十出女小上森人水正生青夕石赤千川先早草足村大男竹中虫"
    "町天田土二日入年白八百文木本名目立力林六引羽雲園遠何科夏家歌画回会海絵外角楽活間丸岩顔汽記帰弓牛魚京強教近兄形計元言原戸"
    "古午後語工公広交光考行高黄合谷国黒今才細作算止市矢姉思紙寺自時室社弱首秋週春書少場色食心新親図数西声星晴切雪船線前組走多"
    "太体台地池知茶昼長鳥朝直通弟店点電刀冬当東答頭同道読内南肉馬売買麦半番父風分聞米歩母方北毎妹万明鳴毛門夜野友用曜来里理話"
)
KANA = "".join(map(chr, (*range(0x3041, 0x3094), *range(0x30A1, 0x30F7), 0x30FC)))
JAPANESE = frozenset(KANA + GRADES)
# Source: the 200 commonest syllables, counted in the Korean words of wordfreq 3.1, 2023
KOREAN = frozenset(
    "이스리지다아사기자가어시대라인수로서도고정나전부장트마주니드요구해상일소하그제보한원동미비성오신무유"
    "진우의여조공모치세선거연국러려화레바야경프관위내안타문에단실생산터만크는데파카중영면학방회교계재명물"
    "발으운히포간당들분르개호식용저체래행버피디노토양과차반통심코까금감게남워강작루매배음건임입출적민예린"
    "불청력역티종직업천은군후합브현법결키더본질난속메점와추설외태달두각네즈울복초올약알격할집말형판박언살"
)
