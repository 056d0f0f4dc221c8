"""What the tests of playback and generation share."""

from collections.abc import Iterator
from typing import Any

import pytest

from core.live.outputs import OutputChoice
from core.performance import output
from core.performance.events import PlaybackEvents
from core.performance.playback import Playback
from tests.core.performance.fakes import FakePlayer, Made, settle


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    """Makes playbacks whose player is fake."""
    FakePlayer.made, FakePlayer.refusals, FakePlayer.opening = [], [], None
    monkeypatch.setattr(output, "Player", FakePlayer)
    playbacks: list[Playback] = []

    def make(choice: OutputChoice | None = None, events: PlaybackEvents | None = None, **attributes: Any) -> Playback:
        playback = Playback(events, clock=lambda: 0.0)
        playbacks.append(playback)
        for name, value in attributes.items():
            setattr(playback.output, name, value)
        if choice is not None:
            playback.output.open(choice)
            settle(playback)
        return playback

    yield make
    if FakePlayer.opening is not None:
        FakePlayer.opening.set()
    for playback in playbacks:
        playback.close()
