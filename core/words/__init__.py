"""A line of English -> knobs.

clauses        a line in clauses: in which part of a take, and how, each asks for something
english        whether a line is English
encoder        a sentence as a point: what means nearly the same lies near
understanding  what a line says of each knob, held against anchor phrases; what of it was not understood
evaluation     how often phrases with known meaning move the right knobs
"""
