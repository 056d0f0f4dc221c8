"""Random regions of random small files, filled by a model of random weights: what must hold of every one.

python -m tests.reliability.fill --cases 2000 --seed 1 [--symbols]

No note hangs, none is lost, no new one lies outside the region, and nothing outside it is changed. A case is its
number, so that `--first N --cases 1` runs again the one that failed.
"""

import argparse
import io
import random
import sys
import time
import traceback
from collections import Counter
from typing import NamedTuple

import mido
import torch
from mido import Message, MetaMessage

from core.errors import UsageError
from core.generation.engine import Engine
from core.generation.filling.filler import Filler
from core.generation.filling.middle_filler import filler_for
from core.generation.options import Options, Sampling
from core.midi.region import Region
from core.model.transformer import ModelConfig, MusicTransformer, with_symbols
from core.performance.fill import plan_fill
from core.session.export import midi_bytes
from core.session.session import Session, session_from_midi
from tests.core.midi.builders import file_of

Placed = tuple[int, int, int, int, int, int]  # chunk, channel, pitch, velocity, start and end tick


class Read(NamedTuple):
    """A file as mido reads it: notes, and all other messages by chunk, each with its tick."""

    notes: Counter[Placed]
    others: list[list[tuple[int, bytes]]]


def small_model() -> MusicTransformer:
    """A model of random weights: it plays anything."""
    torch.manual_seed(3)
    model = MusicTransformer(ModelConfig(n_layer=1, n_head=2, n_embd=16, block_size=256)).eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.4)
    return model


def small_engine(has_symbols: bool = False) -> Engine:
    """With that model, which knows symbols or not."""
    model = small_model()
    return Engine(with_symbols(model) if has_symbols else model, torch.device("cpu"), "small")


def random_file(chance: random.Random) -> bytes:
    """A few seconds on one to four tracks: on a grid or played, with tempo changes, pedals, drums, shared channels."""
    division = chance.choice((24, 96, 120, 480, 960))
    tempo: list[MetaMessage] = [MetaMessage("time_signature", numerator=chance.choice((3, 4)), denominator=4)]
    tempo += [
        MetaMessage("set_tempo", tempo=chance.randint(250_000, 900_000), time=i * chance.randint(0, 4 * division))
        for i in range(chance.randint(0, 3))
    ]
    tracks: list[list[Message | MetaMessage]] = [[*tempo]]
    for _ in range(chance.randint(1, 4)):
        channel = chance.choice((0, 0, 1, 2, 9))
        tracks.append(_random_track(chance, division, channel))
    return file_of(*tracks, division=division)


def _random_track(chance: random.Random, division: int, channel: int) -> list[Message | MetaMessage]:
    line = chance.choice((1, max(1, division // 4)))  # ticks between the places where notes begin
    last = 12 * division // line
    free: Counter[int] = Counter()  # from when on a pitch is silent
    timed: list[tuple[int, int, Message]] = []
    for place in sorted(chance.randrange(last) * line for _ in range(chance.randint(1, 40))):
        pitch = chance.randint(45, 60) if chance.random() < 0.9 else chance.randint(0, 127)
        end = place + max(1, chance.choice((line, 2 * line, division, 6 * division)) - chance.randint(0, 1))
        if place < free[pitch]:
            continue
        free[pitch] = end
        velocity = chance.choice((80, chance.randint(1, 127)))
        timed.append((place, 1, Message("note_on", note=pitch, velocity=velocity, channel=channel)))
        timed.append((end, 0, Message("note_off", note=pitch, velocity=chance.randint(0, 127), channel=channel)))
    for _ in range(chance.randint(0, 4)):
        pedal = Message("control_change", control=64, value=chance.choice((0, 127)), channel=channel)
        timed.append((chance.randrange(last) * line, 0, pedal))
    timed.sort(key=lambda entry: entry[:2])
    ticks = [0, *(tick for tick, _, _ in timed)]
    return [message.copy(time=tick - before) for (tick, _, message), before in zip(timed, ticks, strict=False)]


def read(data: bytes) -> Read:
    """Fails with AssertionError for a note that hangs, or that two note-ons begin."""
    notes: Counter[Placed] = Counter()
    others: list[list[tuple[int, bytes]]] = []
    for chunk, track in enumerate(mido.MidiFile(file=io.BytesIO(data)).tracks):
        tick, sounding, rest = 0, dict[tuple[int, int], tuple[int, int]](), list[tuple[int, bytes]]()
        for message in track:
            tick += message.time
            if message.type not in ("note_on", "note_off"):
                rest.append((tick, bytes(message.bin())))
                continue
            key = message.channel, message.note
            if message.type == "note_on" and message.velocity:
                assert key not in sounding, f"two notes at once of pitch {key} in chunk {chunk} at tick {tick}"
                sounding[key] = tick, message.velocity
            else:
                start, velocity = sounding.pop(key)
                notes[(chunk, *key, velocity, start, tick)] += 1
        assert not sounding, f"notes hang in chunk {chunk}: {sounding}"
        others.append([event for event in rest if event[1][:2] != b"\xff\x2f"])
    return Read(notes, others)


def random_region(chance: random.Random, session: Session) -> Region:
    """Any stretch of the song; all tracks or some, all pitches or some."""
    assert session.score is not None
    start = chance.choice((0.0, chance.uniform(0, max(session.score.end - 0.2, 0))))
    if chance.random() < 0.5:
        start = session.tempo_map.seconds(session.tempo_map.tick(start))
    keys = [track.key for track in session.score.tracks]
    tracks = frozenset(chance.sample(keys, chance.randint(1, len(keys)))) if chance.random() < 0.6 else None
    low, high = sorted((chance.randint(40, 65), chance.randint(40, 65))) if chance.random() < 0.4 else (0, 127)
    return Region(start, start + chance.uniform(0.2, 3.0), tracks, low, high)


def check(case: int, filler: Filler, seed: int = 1) -> int | None:
    """Fill one random region: how many new notes there are; None if it cannot be filled, as of drums alone.

    Raises AssertionError for what must not be.
    """
    chance = random.Random(f"{seed} {case}")
    session = session_from_midi(random_file(chance), "random.mid")
    region = random_region(chance, session)
    try:
        plan = plan_fill(session, region)
    except UsageError:
        return None
    options = Options(Sampling(chance.choice((0.0, 1.0, 2.0))), seed=case, takes=2)
    candidates = filler.fill(plan.gap(filler.engine.config.conventions), options)
    after = [midi_bytes(plan.filled(candidate.notes), "score") for candidate in candidates]
    return sum(assert_only_filled(session, region, data) for data in after)


def assert_only_filled(session: Session, region: Region, after: bytes) -> int:
    """What must hold of a file in which a region of the session's was filled: how many new notes it has."""
    assert session.score is not None
    old, new = read(session.midi), read(after)
    assert old.others == new.others, "something that is no note was changed"
    chosen = {t.key for t in session.score.tracks if region.has_track(t.key) and not t.is_percussion}
    at = session.tempo_map.seconds
    inside = [n for n in old.notes if n[:2] in chosen and region.low <= n[2] <= region.high]
    replaced = Counter({n: old.notes[n] for n in inside if region.start <= at(n[4]) < region.end})
    kept = old.notes - replaced
    assert not kept - new.notes, f"lost or changed: {kept - new.notes}"
    rings_to = max([region.end, *(at(n[5]) for n in replaced)])
    added = new.notes - kept
    for note in added.elements():
        chunk, channel, pitch, _, start, end = note
        assert (chunk, channel) in chosen, f"{note} is in a track that was not chosen"
        assert region.low <= pitch <= region.high, f"{note} is out of range"
        assert region.start - 1e-9 <= at(start) < region.end, f"{note} begins outside {region}"
        assert start < end, f"{note} does not sound"
        assert at(end - 1) < rings_to, f"{note} ends outside {region}, {rings_to}"
        for other in kept:
            if other[1:3] == (channel, pitch):
                assert end <= other[4] or start >= other[5], f"{note} sounds together with the kept {other}"
    return added.total()


def main() -> None:
    """Run the cases; exit code 1 if one failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--symbols", action="store_true", help="by a model that knows symbols")
    asked = parser.parse_args()
    filler = filler_for(small_engine(asked.symbols))
    started, failed = time.monotonic(), 0
    filled: list[int] = []
    for case in range(asked.first, asked.first + asked.cases):
        try:
            made = check(case, filler, asked.seed)
            filled += [] if made is None else [made]
        except Exception:
            failed += 1
            print(f"case {case}:\n{traceback.format_exc()}", flush=True)
    seconds = time.monotonic() - started
    print(
        f"{asked.cases} cases, {len(filled)} of them filled with {sum(filled)} notes, {failed} failed; {seconds:.0f} s"
    )
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
