"""FillController: a span of time is regenerated; its alternatives are heard, chosen and kept."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QCoreApplication, QObject, Signal

from core.errors import UsageError
from core.logs import sentence_for
from core.midi.region import Region
from core.midi.score import TakeNote, TrackKey
from core.midi.tempo_map import TempoMap
from core.performance.fill import FillPlan, plan_fill
from core.performance.fill_run import FillRun
from core.session import edits
from core.session.arrangement import take_stretch
from core.session.session import Session, TakeRecord
from desktop.adapters.generation_signals import GenerationSignals
from desktop.controllers.document import Document
from desktop.controllers.generation import GenerationController, options_for
from desktop.controllers.roll_parts import Look, as_roll, as_selection, session_part
from desktop.controllers.transport import TransportController
from desktop.panels.fill_bar import MOST_ALTERNATIVES
from desktop.piano_roll.notes import RollNote
from desktop.piano_roll.view import PianoRoll

CANDIDATES = 8
AROUND = 2.0  # seconds heard before and after a span where there are no bars
PLAY_EVERY = 0.3  # seconds between two looks of the player at what is sampled
AT_ONCE = 3  # that a run adds


class FillController(QObject):
    """Alternatives for the span selected in the roll: while one is shown, it is what the session has, as one step.

    Number 0 is what stood there. They can be chosen until one is kept, something else is changed, or a take begins; the
    one that is shown is kept then, and as long as the music stays as it is, `regenerate` brings the others back. Where
    each has its `turns`, the next one follows whenever what is heard starts over, and further ones are sampled
    meanwhile.
    """

    changed = Signal()  # what the bar with the alternatives is to show
    replacing = Signal(object)  # FillPlan whose notes are sampled anew, or None any more
    progressed = Signal(float)  # how much of the work is done, 0 to 1
    message = Signal(str)

    def __init__(
        self,
        document: Document,
        signals: GenerationSignals,
        generation: GenerationController,
        transport: TransportController,
        roll: PianoRoll,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._document, self._worker, self._generation = document, signals.generation, generation
        self._transport, self._roll = transport, roll
        self.run: FillRun | None = None
        self.more: FillRun | None = None  # samples further alternatives while there are some
        self.is_choosing = False  # there are alternatives to choose from
        self.alternatives: list[Session] = []  # the first as it was before
        self.shown = 0
        self.turns = False
        self._asked: tuple[object, ...] = ()  # for what they are, and by which settings
        self._name = self._key = ""  # of the step, and what tells it from others
        self._around = (0.0, 0.0)
        self._plan: FillPlan | None = None  # of the alternatives that are there
        self._played_at = 0.0
        self._is_unheard = False  # something was sampled since
        self._seed = 0
        signals.filled.connect(self._on_filled)
        generation.beginning.connect(self.make_way)
        document.replaced.connect(self._forget)

    @property
    def tracks(self) -> tuple[str, ...]:
        """The names of the tracks that are made anew."""
        plan = self.run.plan if self.run is not None else self._plan
        return plan.names if plan is not None else ()

    # Sampling

    def regenerate(self) -> None:
        """Sample alternatives for the span that is selected. Raises UsageError where that cannot be."""
        if self.run is not None or self._generation.is_running:
            return
        self._generation.check()
        span = self._roll.span
        if span is None:
            raise UsageError(
                self.tr(
                    "Select a span of time first: drag in the lower half of the ruler, or press I and O at its ends."
                )
            )
        if self.is_choosing:
            self.keep(0)  # once more from what stood there
        session = self._document.session
        take = self._take_in(session, span)
        start = max(span[0], take.marker) if take else span[0]
        settings = session.settings
        asked = (span, take.id if take else "", self._front(session), replace(settings, seed=0))
        if self._come_back(asked):
            return
        region = Region(start, span[1], self._tracks(session, take, span), settings.low, settings.high)
        plan = plan_fill(session, region, take.id if take else "")
        self._asked, self.alternatives = asked, []
        self._seed = seed = settings.seed if settings.seed_locked else secrets.randbelow(2**31)
        self._name = self.tr("Regenerate {0}").format(_words(session.tempo_map, start, span[1]))
        self._key = f"fill {seed} {time.monotonic()}"
        self._around = _around(session.tempo_map, start, span[1])
        self.run = self._start(plan, AT_ONCE)
        self._played_at, self._is_unheard = 0.0, False
        self._transport.play_around(plan.filled(()), self._around)
        self.replacing.emit(plan)
        self.message.emit(self.tr("{0}: you hear what is around it until the alternatives come.").format(self._name))
        self.changed.emit()

    def _come_back(self, asked: tuple[object, ...]) -> bool:
        """Choose once more from the alternatives that are there for the same, if the music is still one of them."""
        session, chosen = self._document.session, self._roll.selection
        number = next((n for n, each in enumerate(self.alternatives) if _is_same_music(session, each)), None)
        if number is None or asked != self._asked:
            return False
        own = edits.new_notes(self.alternatives[0 if number else self.shown], self.alternatives[number]) or {}
        if len(chosen) and chosen != as_selection(own):  # the user's, which asks for tracks
            return False
        self.is_choosing = True
        self.choose(number or self.shown)
        return True

    def _start(self, plan: FillPlan, count: int) -> FillRun:
        region, settings = plan.region, replace(self._document.session.settings, takes=CANDIDATES)
        run = FillRun(plan, options_for(settings, region.end - region.start, self._seed), count)
        self._seed = (self._seed + CANDIDATES) % 2**31
        self._worker.want_fill(run)
        return run

    def sample_more(self) -> None:
        """Sample further alternatives, as far as there is place for them, while those that are there can be heard."""
        there = len(self.alternatives) - 1
        if self.is_choosing and self._plan is not None and self.more is None and there < MOST_ALTERNATIVES:
            self.more = self._start(self._plan, min(AT_ONCE, MOST_ALTERNATIVES - there))
            self.changed.emit()

    def _take_in(self, session: Session, span: tuple[float, float]) -> TakeRecord | None:
        """The take that plays in the span, if one does; unless the track in front plays there, and not in the take."""
        take = session.current_take
        if take is None or take.marker >= span[1] or span[0] >= take.marker + take.seconds:
            return None
        front = self._front(session)
        if front is None or front in {note.track for note in take.notes}:
            return take
        replaced = {session.tracks[i].key for i in take_stretch(session, take).tracks}
        return take if front in replaced else None

    def _front(self, session: Session) -> TrackKey | None:
        """The track in front of the others, if one is."""
        place = session_part(self._roll.in_front) if self._roll.in_front else None
        return session.tracks[place].key if isinstance(place, int) else None

    def _tracks(
        self, session: Session, take: TakeRecord | None, span: tuple[float, float]
    ) -> frozenset[TrackKey | None] | None:
        """The tracks of the notes selected in the span; else the one in front; else the prompt's or all the take's."""
        keys: set[TrackKey | None] = set()
        for key, places in self._roll.selection.indices.items():
            part = session_part(key)
            notes = edits.part_notes(session, part)
            if take and part == take.id:
                inside = (take.notes[i] for i in places if i < len(notes))
                keys |= {n.track for n in inside if span[0] <= take.marker + n.start < span[1]}
            elif not take and isinstance(part, int):
                inside = (notes[i] for i in places if i < len(notes))
                if any(span[0] <= n.start < span[1] for n in inside):
                    keys.add(session.tracks[part].key)
        front = self._front(session)
        if not keys and front is not None:
            if take and not {front, None} & {note.track for note in take.notes}:
                name = next((track.name for track in session.tracks if track.key == front), "")
                sentence = self.tr("{0} has no notes on {1}: bring another track to the front.")
                raise UsageError(sentence.format(take.name, name))
            return frozenset((front, None))  # what a take has of its own is before all of them
        if keys or take:
            return frozenset(keys) or None
        return frozenset(track.key for track in session.prompt_tracks) or None

    def poll(self) -> None:
        """Once a frame: show and play what was sampled since."""
        run = self.run
        if run is None or run.stopped.is_set():
            self._follow_turns()
            return
        is_new = run.follow()
        self._is_unheard = self._is_unheard or is_new
        if self._is_unheard and self._transport.is_playing and time.monotonic() - self._played_at > PLAY_EVERY:
            self._played_at, self._is_unheard = time.monotonic(), False
            self._transport.go_on_with(run.plan.filled(run.so_far), run.plan.region.start)
        if is_new:
            self._show_so_far(run)
        self.progressed.emit(run.share)

    def _show_so_far(self, run: FillRun) -> None:
        """What is sampled, on its ticks: the tempo may have been changed."""
        look, began, now = Look.of(run.plan.session), run.plan.session.tempo_map, self._document.session.tempo_map
        start = run.plan.region.start

        def moved(notes: Sequence[TakeNote]) -> list[RollNote]:
            shown = [as_roll(note, start, look) for note in notes]
            if now == began:
                return shown
            return [n._replace(start=began.moved(n.start, now), end=began.moved(n.end, now)) for n in shown]

        head = start + run.head
        self._roll.set_sampling(head if now == began else began.moved(head, now), moved(run.sounding), moved(run.ended))

    def _on_filled(self, run: FillRun) -> None:
        if run is self.more:
            self._add(run)
        if run is not self.run:
            return
        self.run = None
        self._roll.set_sampling(None)
        self.replacing.emit(None)
        session, before = self._document.session, run.plan.session
        if run.stopped.is_set():
            pass
        elif run.fault:
            self._transport.end_around()
            self.message.emit(sentence_for(run.fault, "regenerating"))
        elif not _is_same_music(session, before):
            self._transport.end_around()
            self.message.emit(self.tr("Something was changed meanwhile: please do that once more."))
        else:
            plan = self._plan = replace(run.plan, session=session)
            self.alternatives = [session, *(plan.with_placed(placed) for placed in run.alternatives)]
            self.is_choosing = True
            self.choose(1, plays=not self._transport.is_paused)
            words = self.tr("{0}: choose by the arrow keys or 0 to {1}; Return keeps what is shown.")
            self.message.emit(words.format(self._name, len(self.alternatives) - 1))
        self.changed.emit()

    def _add(self, run: FillRun) -> None:
        """Further alternatives are there."""
        self.more = None
        if not self.is_choosing or run.stopped.is_set():
            return
        if run.fault:
            self.message.emit(sentence_for(run.fault, "regenerating"))
        self.alternatives += [run.plan.with_placed(placed) for placed in run.alternatives]
        self._line_up()
        self.changed.emit()

    # Turns

    def set_turns(self, turns: bool) -> None:
        """Whether the next alternative follows whenever what is heard starts over."""
        self.turns = turns
        if self.is_choosing:
            self._line_up()
            self.changed.emit()

    def _line_up(self) -> None:
        """Have the player turn to the next alternative, or stay with the one that is shown."""
        number = (self.shown + 1) % len(self.alternatives) if self.turns else self.shown
        self._transport.turn_to(self.alternatives[number])
        if self.turns and self.shown >= len(self.alternatives) - 2:
            self.sample_more()

    def _follow_turns(self) -> None:
        """Show what is heard."""
        heard = self._transport.state.session
        number = next((n for n, session in enumerate(self.alternatives) if session is heard), None)
        if self.turns and number is not None and number != self.shown:
            self._show(number)
            self._line_up()

    # Choosing

    def choose(self, number: int, plays: bool = True) -> None:
        """Show an alternative, and hear it with what is around, at once or when the user goes on."""
        if self.is_choosing:
            number %= len(self.alternatives)
            if plays:  # sound comes first
                self._transport.play_around(self.alternatives[number], self._around)
            else:
                self._transport.put_around(self.alternatives[number], self._around)
            self._show(number)
            if self.turns:
                self._line_up()

    def _show(self, number: int) -> None:
        self.shown = number
        session = self.alternatives[number]
        self._put(session)
        new = edits.new_notes(self.alternatives[0], session) or {}
        self._roll.select(as_selection(new), brings_forward=True)
        self.changed.emit()
        self._roll.show_all_selected()  # the bar of alternatives has its place by now

    def _put(self, music: Session) -> None:
        """Let the session have the score and the takes of another, and all else as it has it now."""
        now = self._document.session
        new = replace(now, score=music.score, midi=music.midi, edited=music.edited, takes=music.takes)
        self._document.do(self._name, new, self._key)

    def keep(self, number: int | None = None) -> None:
        """End the choice with the alternative that is shown, or this one. The original leaves no step behind."""
        if not self.is_choosing:
            return
        chosen = self.shown if number is None else number
        self._end()
        if chosen == 0:
            self._restore()
        else:
            self._take_back(self.alternatives[chosen])  # it came back, and others were only looked at
            self.message.emit(self._words_of_keeping(self.tr(" With R the others can be chosen again.")))
        self._transport.end_around()
        self.changed.emit()

    def _end(self) -> None:
        self.is_choosing = False
        self._end_more()

    def _restore(self) -> None:
        """What stood there stands there again: as if nothing had been done, if nothing else was."""
        before, self.alternatives = self.alternatives[0], []
        if not self._take_back(before):
            self._put(before)
        self._roll.clear_selection()

    def _take_back(self, music: Session) -> bool:
        """Undo the step of the choice if that leads to this music; whether it does."""
        document = self._document
        leads_there = document.undo_name == self._name and _is_same_music(document.undo_session, music)
        if leads_there:
            document.undo()
        return leads_there

    def _words_of_keeping(self, more: str = "") -> str:
        return self.tr("{0}: alternative {1} is kept.").format(self._name, self.shown) + more

    def drop(self) -> None:
        """Give up: what stood there before stands there again."""
        if self.run is not None:
            self.drop_run()
        else:
            self.keep(0)

    def drop_run(self) -> None:
        """Sample no more."""
        if self.run is not None:
            self.run.stop()
            self._transport.end_around()

    def make_way(self) -> None:
        """A take begins, and is heard: what is being sampled is given up, what is shown is kept."""
        if self.run is not None:
            self.run.stop()
            self.message.emit(self.tr("{0} was given up for the take.").format(self._name))
        elif self.is_choosing:
            self._end()
            if self.shown == 0:
                self._restore()
                self.message.emit(self.tr("{0} was given up: what stood there is kept.").format(self._name))
            else:
                self.message.emit(self._words_of_keeping())
        self._transport.end_around(goes_on=False)
        self.changed.emit()

    def _end_more(self) -> None:
        if self.more is not None:
            self.more.stop()
            self.more = None

    def _forget(self) -> None:
        """Another document: these are of the one before."""
        for run in (self.run, self.more):
            if run is not None:
                run.stop()
        self.is_choosing, self.more, self.alternatives = False, None, []
        self.changed.emit()

    def follow_document(self) -> None:
        """Something else was changed: what is shown is kept, unless it was undone."""
        session = self._document.session
        if self.is_choosing and not _is_same_music(session, self.alternatives[self.shown]):
            self._end()
            if self.shown and not _is_same_music(session, self.alternatives[0]):
                self.message.emit(self._words_of_keeping())
            self._transport.end_around()
            self.changed.emit()


def _is_same_music(a: Session | None, b: Session) -> bool:
    """Whether two sessions have the same score and takes, in the same state."""
    return a is not None and a.score is b.score and a.takes == b.takes and (a.flags, a.current) == (b.flags, b.current)


def _around(tempo_map: TempoMap, start: float, end: float) -> tuple[float, float]:
    """The span with a bar before and one after, in seconds."""
    if not tempo_map.has_metre:
        return max(start - AROUND, 0.0), end + AROUND
    first, last = tempo_map.tick(start), tempo_map.tick(end)
    before, _ = tempo_map.bar_around(max(first - 1, 0))
    _, behind = tempo_map.bar_around(tempo_map.next_bar_tick(last))
    return tempo_map.seconds(before), tempo_map.seconds(behind)


def _words(tempo_map: TempoMap, start: float, end: float) -> str:
    """What a span is called."""
    if not tempo_map.has_metre:
        return f"{start:.1f}–{end:.1f} s"
    first = tempo_map.bar_beat_read(tempo_map.tick(start))[0] + 1
    last, over = tempo_map.bar_beat_read(tempo_map.tick(end))
    last = max(last + (1 if over else 0), first)
    tr = QCoreApplication.translate
    words = tr("FillController", "bar {0}") if first == last else tr("FillController", "bars {0}–{1}")
    return words.format(first, last)
