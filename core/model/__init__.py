"""The Music Transformer and its weights.

transformer  ModelConfig and the network, the book's, as it is trained
kv_cache     the keys and values of what has been read, preallocated
inference    the same network laid out for sampling: prefill, decode one
checkpoint   weights + config + provenance on disk; the book's .pth; finding a model by name
"""

import os

# Before torch is loaded: its threads must sleep, not spin, while they wait for each other. Where another
# program (a DAW, say) has one of the cores, spinning made reading a prompt take up to 15 times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
