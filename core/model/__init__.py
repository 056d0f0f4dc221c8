"""The Music Transformer and its weights.

transformer    ModelConfig and the network, the book's, as it is trained
kv_cache       the keys and values of what has been read, preallocated, and attention to them
int8           matrices in 8 bits: what PyTorch may drop, and what replaces it
thread_choice  on how many threads a CPU decodes
cuda_graph     how an NVIDIA card decodes
inference      the same network laid out for sampling: prefill, decode one
memory         how much this machine has
checkpoint     weights + config + provenance on disk; the book's .pth; finding a model by name
"""

import os

# Before torch is loaded: its threads must sleep, not spin, while they wait for each other. Where another
# program (a DAW, say) has one of the cores, spinning made reading a prompt take up to 15 times as long.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
# Large tensors lie in pages of 2 MB, where Linux has such. The KV cache is read through for every event: a plain read
# of 15 and of 25 MB of it took 0.90 and 1.45 ms so, 1.01 and 2.11 ms with pages of 4 KB.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
