"""Sampling: prompt + options + seed -> a stream of events -> a take.

sampler       logits -> one event: temperature, top-k, nucleus (top-p), min-p
grammar       which events may come next: no hanging, doubled or misplaced notes; scale and range
holding       how long a take may hold a note: about as long as its prompt does
dynamics      how loud a take is played: flat prompts stay flat, or get a human touch
options       what to sample (Options) and what came of it (Take); no torch needed
engine        a model on a device: prefills prompts, decodes one event, moves the window on
continuation  one or more takes, sampled event by event
"""
