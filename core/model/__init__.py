"""The Music Transformer and its weights.

transformer  ModelConfig and the network, the book's, as it is trained
kv_cache     the keys and values of what has been read, preallocated
inference    the same network laid out for sampling: prefill, decode one
checkpoint   weights + config + provenance on disk; the book's .pth; finding a model by name
"""
