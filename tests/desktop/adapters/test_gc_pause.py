"""What stays is left out of garbage collections, and collecting goes on afterwards."""

import gc
import weakref

import pytest

from desktop.adapters.gc_pause import gc_frozen


class _Cycle:
    def __init__(self) -> None:
        self.itself = self


def test_what_stays_is_not_collected_and_the_rest_is() -> None:
    with gc_frozen():
        assert not gc.isenabled()
        stays = weakref.ref(_Cycle())
    goes = weakref.ref(_Cycle())
    gc.collect()
    assert stays() is not None
    assert goes() is None
    assert gc.isenabled()


def test_collecting_goes_on_after_an_error() -> None:
    with pytest.raises(ValueError, match="any"), gc_frozen():
        raise ValueError("any")
    assert gc.isenabled()
