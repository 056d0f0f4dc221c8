"""Draws a prompt and its continuation as a piano roll: `draw_roll.py PROMPT.mid CONTINUED.mid OUT.svg`.

CONTINUED.mid is what `continuo-cli continue PROMPT.mid -o CONTINUED.mid` wrote: whatever sounds in it
after the prompt's last note is drawn as the take.
"""

import sys
from html import escape
from pathlib import Path

import mido

WIDTH, ROW, MARGIN, HEADING = 1200, 7, 16, 44
PAPER, STRIPE, LINE, INK = "#14161b", "#1b1e25", "#2b303a", "#c9ced8"
PROMPT, TAKE = "#6aa5ff", "#ffb454"
BLACK_KEYS = {1, 3, 6, 8, 10}

Drawn = tuple[float, float, int, int]  # start and end in seconds, pitch, velocity


def read_notes(path: Path) -> list[Drawn]:
    """Every note of a MIDI file but the drums, in order of onset."""
    notes, now = [], 0.0
    sounding: dict[tuple[int, int], list[tuple[float, int]]] = {}
    for message in mido.MidiFile(path):
        now += message.time
        if message.type not in ("note_on", "note_off") or message.channel == 9:
            continue
        key = (message.channel, message.note)
        if message.type == "note_on" and message.velocity:
            sounding.setdefault(key, []).append((now, message.velocity))
        elif sounding.get(key):
            start, velocity = sounding[key].pop(0)
            notes.append((start, now, message.note, velocity))
    return sorted(notes)


def draw(prompt: list[Drawn], take: list[Drawn], caption: str) -> str:
    """The SVG text: time to the right, pitch upwards, louder notes brighter."""
    notes = prompt + take
    low, high = min(n[2] for n in notes) - 2, max(n[2] for n in notes) + 2
    length = max(n[1] for n in notes)
    height = HEADING + (high - low + 1) * ROW + MARGIN
    scale = (WIDTH - 2 * MARGIN) / length

    def box(x: float, y: float, w: float, h: float, paint: str) -> str:
        return f'<rect x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" height="{h:.1f}" {paint}/>'

    def text(x: float, fill: str, words: str, anchor: str = "start") -> str:
        return f'<text x="{x:.1f}" y="28" fill="{fill}" text-anchor="{anchor}">{escape(words)}</text>'

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="system-ui, sans-serif" font-size="15">',
        box(0, 0, WIDTH, height, f'fill="{PAPER}" rx="8"'),
    ]
    for pitch in range(low, high + 1):
        if pitch % 12 in BLACK_KEYS:
            y = HEADING + (high - pitch) * ROW
            parts.append(box(MARGIN, y, WIDTH - 2 * MARGIN, ROW, f'fill="{STRIPE}"'))
    for second in range(0, int(length) + 1, 5):
        parts.append(box(MARGIN + second * scale, HEADING, 1, height - HEADING - MARGIN, f'fill="{LINE}"'))
    for group, colour in ((prompt, PROMPT), (take, TAKE)):
        for start, end, pitch, velocity in group:
            y = HEADING + (high - pitch) * ROW
            paint = f'fill="{colour}" fill-opacity="{0.45 + 0.55 * velocity / 127:.2f}" rx="1.5"'
            parts.append(box(MARGIN + start * scale, y, max(2.0, (end - start) * scale - 1), ROW - 1, paint))
    join = MARGIN + max(n[1] for n in prompt) * scale
    parts.append(box(join, HEADING - 8, 1.5, height - HEADING - MARGIN + 8, f'fill="{INK}"'))
    parts += [text(MARGIN, PROMPT, "prompt"), text(join + 6, TAKE, "take")]
    parts += [text(WIDTH - MARGIN, INK, caption, "end"), "</svg>\n"]
    return "\n".join(parts)


def main(prompt_file: Path, continued_file: Path, picture: Path) -> None:
    """Draw the two files into `picture`."""
    prompt, continued = read_notes(prompt_file), read_notes(continued_file)
    end = max(note[1] for note in prompt) - 0.01
    take = [note for note in continued if note[0] >= end]
    caption = f"{prompt_file.name}: {len(prompt)} notes given, {len(take)} played on"
    picture.write_text(draw(prompt, take, caption), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: draw_roll.py PROMPT.mid CONTINUED.mid OUT.svg")
    main(*(Path(argument) for argument in sys.argv[1:]))
