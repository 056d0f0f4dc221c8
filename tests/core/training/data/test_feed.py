"""Batches made ahead by processes of their own, as for a graphics card."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from core.training.data import feed
from core.training.data.feed import Feed, batches
from tests.core.training.tunes import TINY_RECIPE, tiny_corpus

TRAINS = """
import signal, sys
from pathlib import Path
from torch.utils.data import DataLoader
from core.training.data import feed
from core.training.data.corpus import Corpus
from tests.core.training.tunes import TINY_RECIPE

corpus = Corpus(Path(sys.argv[1]))
told = []
made = feed.Feed(corpus, corpus.of_split("train"), TINY_RECIPE, {}, 0)
loader = DataLoader(made, batch_size=None, sampler=feed._From(made, 0, 0), num_workers=2,
                    worker_init_fn=feed._set_apart)
for count, batch in enumerate(loader):
    if count == 1:  # a batch of each: both workers are at work, and these handlers are not theirs
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, frame: told.append(number))
        print("training", flush=True)
        sys.stdin.readline()
    if count == 40:
        break
print(len(told), flush=True)
"""


@pytest.mark.posix
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_group_leaves_the_workers_at_work(number: signal.Signals, tmp_path: Path) -> None:
    """A terminal sends Ctrl-C so, and `timeout` its signal: the process that trains saves its run, and needs them."""
    corpus = tiny_corpus(tmp_path)
    command = [sys.executable, "-c", TRAINS, str(corpus.folder)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "training\n"
        os.killpg(process.pid, number)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "1\n"
    assert process.returncode == 0


def test_workers_make_the_batches_that_the_process_itself_makes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = tiny_corpus(tmp_path)
    made = Feed(corpus, corpus.of_split("train"), TINY_RECIPE, {}, 3)
    alone = batches(made, 0, 1, torch.device("cpu"))
    loader = feed.DataLoader

    def by_workers(*arguments: Any, **options: Any) -> Any:
        return loader(*arguments, **{**options, "pin_memory": False})  # which needs a card

    monkeypatch.setattr(feed, "DataLoader", by_workers)
    ahead = batches(made, 0, 1, torch.device("cuda"))
    for _ in range(12):
        mine, theirs = next(alone), next(ahead)
        assert (mine.epoch, mine.step) == (theirs.epoch, theirs.step)
        assert torch.equal(mine.inputs, theirs.inputs)
        assert torch.equal(mine.targets, theirs.targets)
    ahead.close()
