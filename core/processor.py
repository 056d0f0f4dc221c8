"""Whether the processor can run the libraries: asked before they are loaded, as on one that cannot they end without a
word.
"""

import re
from pathlib import Path

TOO_OLD = "Continuo needs a processor with SSE 4.2, as nearly all have since 2009; this computer has none."
_NEEDED = {"sse4_2", "popcnt"}  # of x86-64-v2, what the wheels of torch and numpy are built for


def is_too_old(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether this is an x86 processor, on Linux, that lacks what the libraries need."""
    try:
        flags = re.search(r"^flags\s*:(.*)$", cpuinfo.read_text(errors="replace"), re.MULTILINE)
    except OSError:
        return False
    return flags is not None and not set(flags[1].split()) >= _NEEDED
