from core.live.sounding import Sounding


def test_silence_ends_the_notes_first_and_then_every_channel_used():
    sounding = Sounding([b"\x90\x3c\x50", b"\x92\x40\x50", b"\x90\x3c\x00", b"\xb1\x40\x7f", b"\xf8"])
    assert sounding.silence() == [
        b"\x82\x40\x00",
        b"\xb0\x40\x00",
        b"\xb0\x7b\x00",
        b"\xb1\x40\x00",
        b"\xb1\x7b\x00",
        b"\xb2\x40\x00",
        b"\xb2\x7b\x00",
    ]


def test_releases_lift_only_pedals_that_are_down():
    sounding = Sounding([b"\x90\x3c\x50", b"\xb0\x40\x7f", b"\xb1\x40\x7f", b"\xb1\x40\x00"])
    assert sounding.releases() == [b"\x80\x3c\x00", b"\xb0\x40\x00"]


def test_a_copy_goes_its_own_way():
    sounding = Sounding([b"\x90\x3c\x50"])
    twin = sounding.copy()
    twin.follow(b"\x80\x3c\x00")
    assert sounding.notes == {(0, 60)}
    assert twin.notes == set()
    sounding.clear()
    assert sounding.silence() == []
