"""Processors that are too old for the libraries, by what Linux says of them."""

from pathlib import Path

import pytest

from core.processor import is_too_old

CORE_2 = "flags\t\t: fpu sse sse2 pni ssse3 cx16 lahf_lm"
NEHALEM = "flags\t\t: fpu sse sse2 pni ssse3 cx16 sse4_1 sse4_2 popcnt lahf_lm"
ARM = "Features\t: fp asimd evtstrm aes"


@pytest.mark.parametrize(("told", "expected"), [(CORE_2, True), (NEHALEM, False), (ARM, False), ("", False)])
def test_what_lacks_sse_4_2_is_too_old(tmp_path: Path, told: str, expected: bool) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text(f"processor\t: 0\n{told}\npower management:\n")
    assert is_too_old(cpuinfo) is expected


def test_where_nothing_is_told_it_is_tried(tmp_path: Path) -> None:
    assert not is_too_old(tmp_path / "none")


def test_this_one_is_new_enough() -> None:
    assert not is_too_old()
