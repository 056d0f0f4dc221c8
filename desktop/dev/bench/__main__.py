"""`python -m desktop.dev.bench [--short]`: all of it, one JSON object on stdout; what it does meanwhile on stderr."""

import argparse
import json
import os
import sys
import tempfile
from dataclasses import asdict
from typing import Any

_FOLDERS = ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME")


def measure(is_short: bool) -> dict[str, Any]:
    """Everything. `is_short`: a few of each, to see that it runs."""
    from desktop.dev.bench.starting import measure_start

    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    _say("The window starts ...")
    start = measure_start(1 if is_short else 7)
    from desktop.app import build
    from desktop.dev.bench.listening import Listener, can_listen
    from desktop.dev.bench.playing import Sitting
    from desktop.piano_roll.measure import measure_frames

    _, window, _ = build([])
    sys.excepthook = sys.__excepthook__  # nobody is there to read a dialog
    listener = None
    try:
        _say("The piano roll is scrolled, zoomed, played ...")
        size = {"notes": 2_000 if is_short else 100_000, "width": 1600, "height": 800}
        frames = measure_frames(**size, frames=5 if is_short else 400)
        listener = Listener() if can_listen() else None
        sitting = Sitting(window, listener)
        _say("Continue is clicked ...")
        clicks = sitting.measure_continue(2 if is_short else 10)
        seconds = 2.0 if is_short else 60.0
        _say(f"It samples and plays, for {seconds:.0f} seconds ...")
        playing = sitting.measure_playing(seconds)
    finally:
        window.shut_down()
        if listener:
            listener.close()
    rounded = [{k: round(v, 2) if isinstance(v, float) else v for k, v in asdict(f).items()} for f in frames]
    return {
        "machine": {"cores": os.cpu_count(), "load_before": load},
        "start": start,
        "frames": {**size, "scenes": {scene.pop("name"): scene for scene in rounded}},
        "continue": clicks,
        "playing": playing,
    }


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def main() -> None:
    """Measure in folders of its own."""
    parser = argparse.ArgumentParser(prog="desktop.dev.bench", description="Measures the window.")
    parser.add_argument("--short", action="store_true", help="a few of everything, to see that it runs")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ.update({name: os.path.join(home, name) for name in _FOLDERS}, QT_QPA_PLATFORM="offscreen")
        print(json.dumps(measure(arguments.short)))


if __name__ == "__main__":
    main()
