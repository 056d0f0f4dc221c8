"""How much memory this machine has."""

import ctypes
import os
import sys


def physical_memory() -> int:
    """All memory of this machine, used or free, in bytes; with no way to tell, as much as could ever be."""
    if sys.platform == "win32":
        kibibytes = ctypes.c_ulonglong()
        if ctypes.windll.kernel32.GetPhysicallyInstalledSystemMemory(ctypes.byref(kibibytes)):
            return kibibytes.value * 1024
        return sys.maxsize
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return sys.maxsize
