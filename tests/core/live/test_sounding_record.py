from core.live.sounding import Sounding
from core.live.sounding_record import LOOKS, RECORD_BYTES, SoundingRecord, recorded, still_wanted


def play(record: SoundingRecord, sounding: Sounding, *messages: bytes) -> None:
    for message in messages:
        record.add(message)
        sounding.follow(message)


def test_a_record_says_what_sounds() -> None:
    memory = bytearray(RECORD_BYTES)
    record, sounding = SoundingRecord(memory), Sounding()
    play(record, sounding, b"\x90\x3c\x50", b"\x9f\x7f\x01", b"\xb2\x40\x7f", b"\xf8")
    assert recorded(memory).silence() == sounding.silence()


def test_a_note_stays_in_the_record_until_its_end_is_delivered() -> None:
    memory = bytearray(RECORD_BYTES)
    record, sounding = SoundingRecord(memory), Sounding()
    play(record, sounding, b"\x90\x3c\x50", b"\x90\x40\x50", b"\x80\x3c\x00")
    for notes in (*[{(0, 60), (0, 64)}] * (LOOKS - 1), {(0, 64)}, {(0, 64)}):
        record.age(sounding)
        assert recorded(memory).notes == notes
    play(record, sounding, b"\x90\x3c\x50", b"\x80\x3c\x00")
    record.age(sounding)
    play(record, sounding, b"\x90\x3c\x50")  # struck again before it was taken out
    for _ in range(LOOKS):
        record.age(sounding)
    assert recorded(memory).notes == {(0, 60), (0, 64)}
    record.clear()
    assert memory == bytearray(RECORD_BYTES)


def test_what_has_ended_just_now_can_be_ended_again() -> None:
    record, sounding = SoundingRecord(bytearray(RECORD_BYTES)), Sounding()
    play(record, sounding, b"\xb0\x40\x7f", b"\xb1\x40\x7f", b"\x90\x3c\x50", b"\x90\x40\x50", b"\x91\x3c\x50")
    assert record.ended(sounding) == []
    play(record, sounding, b"\x80\x3c\x00", b"\x91\x3c\x00", b"\xb0\x40\x3f")
    assert record.ended(sounding) == [b"\x80\x3c\x00", b"\x81\x3c\x00", b"\xb0\x40\x00"]
    for _ in range(LOOKS):
        record.age(sounding)
    assert record.ended(sounding) == []


def test_a_release_spares_what_was_struck_since() -> None:
    release = Sounding([b"\x90\x3c\x50", b"\x90\x40\x50", b"\x91\x3c\x50", b"\x92\x3c\x50"]).silence()
    now = Sounding([b"\x90\x3c\x50", b"\xb2\x40\x7f"])
    ended = [b"\x80\x40\x00", b"\x81\x3c\x00", b"\x82\x3c\x00", b"\xb0\x40\x00", b"\xb1\x40\x00", b"\xb1\x7b\x00"]
    assert still_wanted(release, now) == ended
    assert still_wanted(release, Sounding()) == release
