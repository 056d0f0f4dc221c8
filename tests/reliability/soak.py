"""A restless musician at the engine that window and command line share, for as long as is wanted.

python -m tests.reliability.soak --cycles 100 --minutes 10 --seed 1      (or: make soak)

Plays, stops, seeks, loops, edits, undoes, continues, regenerates and switches outputs, and kills or stops the players
now and then, with a JACK server of its own, real player processes, and a second MIDI program that listens. After each
cycle no note sounds on at the listener, a new one gets there, nothing of the system's is used up, and what a crash
would leave behind is the session. The same seed wishes the same; when it happens is the machine's affair. Needs Linux
and jackd.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from core.live.outputs import ExistingPort, VirtualPort
from core.session.recovery import Autosave, find_recoverable
from core.session.session import Session
from core.session.storage import session_bytes
from tests.conftest import JackServer, children
from tests.reliability.musician import PATIENCE, WISHES, Diary, Musician
from tests.reliability.studio import SYNTH, Figures, figures

HEARD = (VirtualPort(), ExistingPort(SYNTH))
TEST_PITCH = 61
# A server that waits for no client, as dead ones would hold all up; with cycles so long that living ones are in time.
JACK: dict[str, Any] = {"patience": 0.0, "period": 2048}
WISHES_OF_A_CYCLE = 12
DOCUMENT = 8  # cycles with one file
SPARE = 8  # file descriptors and threads more than in the first cycles: a leak of one in each goes past that
FIRST = 5  # cycles
PLAYERS = 2  # the one that plays, and the one that keeps the virtual port open
WARM = 20  # cycles after which memory grows no more
GROWTH = 30.0  # than by these MB


@dataclass(eq=False)
class Result:
    """What came of it."""

    diary: Diary
    cycles: int = 0
    received: int = 0  # messages, by the listener
    figures: list[Figures] = field(default_factory=list)  # after each cycle

    @property
    def faults(self) -> list[str]:
        """What must not be."""
        return self.diary.faults

    @property
    def growth(self) -> float | None:
        """MB that memory has grown by since it was warm, from median to median; None where that cannot be said."""
        warm = [each.memory for each in self.figures[WARM:]]
        quarter = len(warm) // 4
        return median(warm[-quarter:]) - median(warm[:quarter]) if quarter else None


def soak(
    folder: Path,
    cycles: int,
    seconds: float,
    seed: int,
    wishes: Iterable[str] = WISHES,
    longest_wait: float = 1.0,
    jack_log: Path | None = None,
) -> Result:
    """So many cycles, but none is begun after `seconds`. Files are written to `folder`.

    What the JACK server wrote to its log in a cycle with a fault is told: a message may have been lost there.
    """
    names = list(wishes)
    weights = [WISHES[name] for name in names]
    others = children()  # such as the JACK server
    musician = Musician(folder, seed)
    result = Result(musician.diary)
    autosave = Autosave(folder / "autosave")
    end = time.monotonic() + seconds
    try:
        for cycle in range(cycles):
            if time.monotonic() > end:
                break
            chance = musician.chance
            chance.seed(f"{seed} {cycle}")
            if cycle % DOCUMENT == 0:
                musician.open_another_file()
            chosen = chance.choices(names, weights, k=WISHES_OF_A_CYCLE)
            told_before = _size(jack_log)
            try:
                for name in chosen:
                    musician.wish(name)
                    musician.wait(chance.choice((0.0, chance.uniform(0.0, longest_wait))))
                assert_recoverable(musician.session, autosave, folder / f"crash-{cycle}")
                musician.calm_down()
                assert_silent(musician)
                assert_audible(musician)
                assert_recoverable(musician.session, autosave, folder / f"crash-{cycle}")
                result.figures.append(figures(others))
                assert_bounded(result.figures)
            except Exception:
                result.diary.fault(f"cycle {cycle}, {', '.join(chosen)}:\n{traceback.format_exc()}")
                if jack_log is not None:
                    print(f"JACK: {jack_log.read_text(errors='replace')[told_before:]}", flush=True)
                musician.synth.forget()  # or the next cycles would find it again
            result.cycles += 1
    finally:
        result.received = musician.synth.received
        musician.close()
        autosave.close()
    if (growth := result.growth) is not None and growth > GROWTH:
        result.diary.fault(f"memory has grown by {growth:.0f} MB")
    return result


def _size(log: Path | None) -> int:
    return len(log.read_text(errors="replace")) if log is not None else 0


def assert_silent(musician: Musician, patience: float = PATIENCE) -> None:
    """No note sounds on at the listener, once whatever was lost is back."""
    synth = musician.synth
    musician.until(lambda: not synth.sounding, "silence", patience)


def assert_audible(musician: Musician) -> None:
    """A note gets to the listener, and ends there, if the output is one that it listens to."""
    playback, synth = musician.playback, musician.synth
    if playback.output.choice not in HEARD:
        return

    def has_begun() -> bool:
        playback.note(TEST_PITCH, 99)
        musician.wait(0.1)
        return (0, TEST_PITCH) in synth.sounding

    musician.until(has_begun, "a note")
    playback.note(TEST_PITCH, 0)
    assert_silent(musician)


def assert_bounded(there: Sequence[Figures]) -> None:
    """Nothing of the system's is used up: no more than after the first cycles, but for a little."""
    first, now = there[:FIRST], there[-1]
    assert now.children <= PLAYERS, f"{now.children} child processes"
    assert now.files <= max(each.files for each in first) + SPARE, f"file descriptors: {now.files}"
    assert now.threads <= max(each.threads for each in first) + SPARE, f"threads: {now.threads}"


def assert_recoverable(session: Session, autosave: Autosave, folder: Path) -> None:
    """What a crash would leave behind now is this session."""
    autosave.save(session)
    folder.mkdir()
    for file in (folder.parent / "autosave").iterdir():
        if file.suffix != ".lock":
            shutil.copy(file, folder)
    (recovery,) = find_recoverable(folder)
    assert session_bytes(recovery.open()) == session_bytes(session), "the session that is recovered is another"
    recovery.discard()
    shutil.rmtree(folder)


def _print(result: Result, seconds: float) -> None:
    wishes = ", ".join(f"{name} {count}" for name, count in result.diary.wishes.most_common())
    print(f"{result.cycles} cycles in {seconds:.0f} s; {result.received} messages at the listener")
    print(f"wished: {wishes}")
    for sentence, count in result.diary.sentences.most_common():
        print(f"told {count} times: {sentence}")
    for name in ("files", "threads", "children", "memory", "children_memory") if result.figures else ():
        values = [getattr(each, name) for each in result.figures]
        print(f"{name}: {values[0]:.0f} at first, {values[-1]:.0f} at last, {max(values):.0f} at most")
    if result.growth is not None:
        print(f"memory grew by {result.growth:.1f} MB once it was warm")
    print(f"{len(result.faults)} faults")


def main() -> None:
    """Run the cycles; exit code 1 if something was amiss."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=100)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        log = folder / "jack.log"
        server = JackServer(**JACK, log=log)
        os.environ.update(server.variables)
        try:
            result = soak(folder, asked.cycles, 60 * asked.minutes, asked.seed, jack_log=log)
        finally:
            server.close()
    _print(result, time.monotonic() - started)
    sys.exit(bool(result.faults))


if __name__ == "__main__":
    main()
