"""File names in an unnamed code page: read where one reading makes sense, and asked about where two do."""

from collections.abc import Sequence

import pytest

from scones_core.errors import BadInput
from scones_core.sources.file_names import decoded


def read(codec: str, names: Sequence[str]) -> list[str]:
    """The class folders as they are read from a zip that has them in the code page."""
    raw = [f"train/{name}/{number}.png".encode(codec) for name in names for number in range(2)]
    return list(dict.fromkeys(name.split("/")[1] for name in decoded(raw, "z.zip")[1]))


@pytest.mark.parametrize(
    ("codec", "names"),
    [
        ("gbk", ["自行车", "摩托车"]),
        ("gbk", ["健康叶片", "病害叶片"]),
        ("gbk", ["苹果", "香蕉", "葡萄", "西瓜"]),
        ("big5", ["腳踏車", "摩托車"]),
        ("big5", ["狗", "貓"]),
        ("shift_jis", ["自転車", "オートバイ"]),
        ("shift_jis", ["いぬ", "ねこ"]),
        ("cp949", ["자전거", "오토바이"]),
        ("cp949", ["사과", "바나나", "포도"]),
        ("cp949", ["신원", "돌아왔"]),
        ("cp437", ["vélo", "Fahrräder"]),
        ("cp437", ["Äpfel", "Öl"]),
        ("cp850", ["Hund", "Vögel", "Käfer"]),
        ("cp850", ["cão", "gato", "leão"]),
        ("cp850", ["niño", "árbol"]),
        ("cp866", ["кошка", "собака"]),
        ("cp1251", ["велосипед", "мотоцикл"]),
        ("cp1251", ["Кошка", "Собака"]),
        ("cp1251", ["кіт", "їжак"]),
        ("cp1251", ["котка", "куче"]),
        ("cp1252", ["vélo", "Fahrräder"]),
        ("cp1252", ["forêt", "glacier", "bâtiment", "été"]),
        ("cp1250", ["măr", "pară", "strugure"]),
    ],
)
def test_names_that_make_sense_in_one_code_page_only_are_read(codec: str, names: Sequence[str]) -> None:
    assert read(codec, names) == names


@pytest.mark.parametrize(
    ("codec", "names"),
    [
        ("cp1255", ["אופניים", "אופנוע"]),
        ("cp1255", ["כלב", "חתול"]),
        ("cp1255", ["תפוח", "בננה"]),
        ("euc_jp", ["自転車", "オートバイ"]),
        ("euc_jp", ["いぬ", "ねこ"]),
        ("euc_jp", ["飛行機", "自動車"]),
        ("cp860", ["bicicleta", "caminhão"]),
        ("cp860", ["irmã", "leão"]),
        ("cp1253", ["σκύλος", "λύκος"]),
        ("cp1254", ["balık", "kedi"]),
        ("cp857", ["kadın", "kedi"]),
        ("cp857", ["balıkçı", "kuzu"]),
        ("cp1257", ["vīns", "pārs"]),
        ("cp775", ["bērzs", "ābele"]),
        ("cp720", ["وجوه", "اسبوع"]),
        ("koi8_r", ["весной", "конь"]),
    ],
)
def test_names_that_make_sense_in_two_code_pages_are_asked_about(codec: str, names: Sequence[str]) -> None:
    with pytest.raises(BadInput, match=r"^z\.zip does not say how its file names are written") as refused:
        read(codec, names)
    assert "; pack it again with names in UTF-8" in str(refused.value)


def test_the_question_shows_the_readings() -> None:
    with pytest.raises(BadInput, match=r"\(“caminhäo” or “caminhão”\?\)"):
        read("cp860", ["bicicleta", "caminhão"])
