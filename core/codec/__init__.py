"""Notes <-> events, the symbols that the model reads and writes.

vocabulary  the 388 performance events, boundary and padding: one table, ids never renumbered
steps       how the steps of a sequence lie in time: 10 ms apart, or scaled to a metre's grid
events      encoding a score or a prompt, decoding a sequence, and the streaming decoder
gap         a region as a model reads it: what comes before, what is kept in it, what follows
"""
