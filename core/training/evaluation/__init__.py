"""A model against files that it has not seen.

nll           negative log-likelihood per event, with the context carried on
comparison    continuations against the true ones
originality   the longest stretch that a continuation copies from the training data
continuations held-out prompts, and what a model makes of each
criteria      how well takes go on: what a model is chosen and its sampling tuned by
fills         how well regions are filled
middles       whether a model that knows symbols tells the true middle from another piece's
knobs         whether the knobs of a take do what they say
evaluate      all of it, for one model
"""
