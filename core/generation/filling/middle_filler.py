"""MiddleFiller: a Filler for models that know symbols, which are told what follows a gap before they fill it."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import accumulate

from core.codec.events import Conventions, GridNote, encode_grid
from core.codec.gap import Gap
from core.codec.vocabulary import BOUNDARY, STEPS_PER_SECOND, SUFFIX, middle, shift_steps
from core.generation.engine import Engine, PreparedPrompt, cut_window
from core.generation.filling.fill_rounds import FillRows, FillStep, rounds
from core.generation.filling.filler import SAMPLED, Candidates, Filler, LeftToRightFiller
from core.generation.filling.middle_row import MiddleRow
from core.generation.options import Options
from core.generation.prompt_summary import summarize

_CONTEXT = 5 / 8  # of the window at most: the rest is for new notes
_FEWEST = 16  # events around what is kept in a gap
_FOLLOW = 0.4  # of the room around it is for what follows; models learn with 15 to 60 %
_LONGEST = 34.0  # seconds of a gap: behind the last bin of MIDDLE
_LOOKS = 50 * STEPS_PER_SECOND  # steps behind a gap: what begins there, a Gap holds


class MiddleFiller(Filler):
    """Samples the new notes of each candidate between what comes before, is kept, and follows.

    Candidates are judged as those of a LeftToRightFiller, which also fills gaps that are longer than this model has
    learned, or in which too much is kept for its window.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._left_to_right = LeftToRightFiller(engine)

    def candidates(
        self,
        gap: Gap,
        options: Options,
        given: Sequence[Sequence[GridNote]] = (),
        on_step: Callable[[FillStep], object] = lambda step: None,
        cancelled: Callable[[], bool] = lambda: False,
        on_share: Callable[[float], object] = lambda share: None,
    ) -> Candidates:
        """See Filler. `on_step` gets the events of the candidates, of which no other endings are sampled."""
        config = self.engine.config
        context = encode_gap(gap, config.conventions, int(_CONTEXT * config.block_size))
        if context is None or gap.end > _LONGEST * STEPS_PER_SECOND:
            return self._left_to_right.candidates(gap, options, given, on_step, cancelled, on_share)
        logits, cache = self.engine.prefill([context], cancelled)
        prepared = PreparedPrompt(gap.prompt, tuple(context), cache, logits)
        summary = summarize(gap.prompt)
        rows = [MiddleRow(gap, options, i, summary) for i in range(options.takes)]
        begun = FillRows(list(enumerate(rows)), *self.engine.fork(prepared, len(rows)))
        seconds = gap.prompt.steps.seconds(gap.end)
        for _ in rounds(self.engine, begun, prepared.events, on_step, cancelled):
            on_share(SAMPLED * min(min(row.head for row in rows) / seconds, 1.0))
        wholes = [sorted([*gap.kept, *row.on_grid]) for row in rows]
        judged = self._left_to_right.judge(
            gap, options, [*wholes, *given], cancelled, lambda share: on_share(SAMPLED + (1 - SAMPLED) * share)
        )
        made = [
            replace(candidate, notes=tuple(sorted(row.notes, key=lambda note: (note.start, note.pitch))), seed=row.seed)
            for row, candidate in zip(rows, judged, strict=False)
        ]
        return Candidates(made, made, judged[len(rows) :])


def filler_for(engine: Engine) -> Filler:
    """The Filler that makes most of a model."""
    return MiddleFiller(engine) if engine.config.has_symbols else LeftToRightFiller(engine)


def encode_gap(gap: Gap, conventions: Conventions, most: int) -> list[int] | None:
    """What a model that knows symbols reads before it fills a gap, at most so many events (core.training.data.middles).

    None where there is no place for music around the gap beside what is kept in it.
    """
    after = encode_grid(gap.kept, conventions, starts_piece=False, seam=gap.end)
    clock = accumulate(map(shift_steps, after))
    inside = next(i for i, step in enumerate(clock, 1) if step >= gap.end)
    if not gap.kept or gap.kept[-1].start < gap.end + _LOOKS:
        after.append(BOUNDARY)  # there the piece ends
    room = most - inside - 2
    if room < _FEWEST:
        return None
    after = after[: inside + max(int(_FOLLOW * room), room - len(gap.prompt.events))]
    before = cut_window(gap.prompt.events, room - (len(after) - inside), conventions)
    return [*before, SUFFIX, *after, middle(gap.end / STEPS_PER_SECOND)]
