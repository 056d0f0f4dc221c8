"""The only place that finds files: those bundled with Continuo and the user's own folders."""

import sys
from pathlib import Path


def bundled(*parts: str) -> Path:
    """Path of a bundled file or folder, in a checkout or inside a PyInstaller bundle."""
    root = Path(getattr(sys, "_MEIPASS", Path(__file__).resolve().parent.parent))
    return root.joinpath("resources", *parts)


def user_folder(*parts: str) -> Path:
    """Path in the user's data folder (`models`, for one). It may not exist yet."""
    import platformdirs

    return Path(platformdirs.user_data_path("Continuo", appauthor=False)).joinpath(*parts)
