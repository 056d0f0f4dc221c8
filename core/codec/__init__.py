"""Notes <-> events, the symbols that the model reads and writes.

vocabulary  the 388 performance events, boundary and padding: one table, ids never renumbered
events      encoding a score or a prompt, decoding a sequence, and the streaming decoder
"""
