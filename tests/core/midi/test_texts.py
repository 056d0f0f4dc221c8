"""In which encoding the texts of a file are is told from all of them together."""

import pytest

from core.midi.texts import decode_text, find_encoding


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp1252", ["Bob’s Bass", "Piano – left hand", "“Solo”"]),
        ("cp1252", ["Bob’s Bass"]),
        ("cp1252", ["L’île", "À la fin", "Écho"]),
        ("cp1252", ["© 1999 Müller", "Bässe"]),
        ("cp1252", ["FLÖTE", "Größe", "Hörner 1–2"]),
        ("cp1252", ["Señor", "Coração", "Violão"]),
        ("latin-1", ["Flöte", "Hörner"]),
        ("cp932", ["ﾋﾟｱﾉ", "笛", "ﾍﾞｰｽ", "琴", "主旋律", "和音", "弦楽", "ﾄﾞﾗﾑ", "メロディ"]),
        ("cp932", ["ﾋﾟｱﾉ"]),
        ("cp932", ["ｷﾞﾀｰ1", "ｷﾞﾀｰ2"]),
        ("cp932", ["Aメロ", "ドラム"]),
        ("cp932", ["作曲：山田"]),
        ("cp1251", ["Пианино", "Гитара"]),
        ("cp932", ["ピアノ"]),
        ("cp932", ["ﾄﾞﾗﾑ"]),
        ("cp932", ["ﾋﾟｱﾉ 右手", "ﾋﾟｱﾉ(左手)"]),
        ("cp932", ["Piano右手", "歌メロ"]),
        ("cp1251", ["БАС"]),
        ("cp1252", ["ÉTÉ"]),
        ("cp1252", ["L’ÎLE", "C’EST"]),
        ("cp1252", ["£ € mix"]),
        ("cp1252", ["« Solo »"]),
        ("cp1252", ["Flûte à bec"]),
        ("cp1252", ["Op. 25 n° 1 “Aeolian”"]),
        ("cp1250", ["Śpiew", "Skrzypce", "Głos", "Trąbka"]),
        ("cp1250", ["Ének", "Hegedű", "Gitár"]),
        ("cp1250", ["Příčná flétna", "Bicí"]),
        ("cp1250", ["Ľavá ruka", "Žltá"]),
        ("cp1254", ["Şarkı", "Bağlama", "İnce saz"]),
        ("cp1254", ["Yaylılar"]),
        ("mac_roman", ["Flöte", "Kontrabaß", "Für Elise"]),
        ("mac_roman", ["Bob’s Bass", "Lead – left"]),
        ("mac_roman", ["Première voix", "Flûte"]),
        ("mac_roman", ["Violão"]),
        ("cp1252", ["Größe", "À la fin", "Señor", "Fløyte"]),  # of several languages
        ("cp1253", ["Πιάνο", "Κιθάρα"]),
        ("koi8-r", ["Фортепиано", "Гитара", "Бас"]),
        ("euc-kr", ["피아노", "기타", "베이스", "드럼", "멜로디"]),
        ("euc-kr", ["피아노"]),
        ("gbk", ["钢琴", "主旋律", "贝斯", "鼓", "弦乐"]),
        ("gbk", ["月亮代表我的心"]),
        ("big5", ["鋼琴", "主旋律", "吉他", "鼓組", "弦樂"]),
        ("euc-jp", ["ピアノ右手", "ピアノ左手", "ドラム"]),
        ("utf-16", ["Flöte", "琴"]),
        ("utf-8", ["Flöte", "琴", "Bob’s Bass"]),
        ("ascii", ["Piano", ""]),
    ],
)
def test_names_come_back(encoding: str, names: list[str]) -> None:
    texts = [name.encode(encoding) for name in names]
    found = find_encoding(texts)
    assert [decode_text(text, found) for text in texts] == names


def test_one_name_that_can_be_anything_is_read_as_the_others_are() -> None:
    flute = "笛".encode("cp932")
    assert decode_text(flute, find_encoding([flute, "ドラム".encode("cp932")])) == "笛"


def test_a_text_that_is_not_in_the_files_encoding_is_read_all_the_same() -> None:
    assert decode_text(b"\x81", "utf-8") == ""
    assert decode_text(b"caf\xe9", "utf-8") == "café"


def test_a_plain_name_beside_others_in_utf_16_is_plain() -> None:
    flute = "Flöte".encode("utf-16")
    assert decode_text(b"Bass", find_encoding([flute, b"Bass"])) == "Bass"
