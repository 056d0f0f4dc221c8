"""What the tests of the command line share: the command, a prompt, a small model."""

from pathlib import Path

import pytest
import torch

from core.model.checkpoint import save_model
from core.model.transformer import ModelConfig, MusicTransformer
from tests.core.cli.helpers import Command, two_tracks


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """continuo-cli, in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)
    return Command(capsys)


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """The file of `two_tracks`."""
    path = tmp_path / "song.mid"
    path.write_bytes(two_tracks())
    return path


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of a few thousand random weights: quick, and it plays anything."""
    torch.manual_seed(5)
    path = tmp_path_factory.mktemp("models") / "tiny.safetensors"
    save_model(path, MusicTransformer(ModelConfig(n_layer=1, n_head=2, n_embd=16, block_size=256)), {"name": "tiny"})
    return path
