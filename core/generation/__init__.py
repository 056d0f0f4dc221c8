"""Sampling: prompt + options + seed -> a stream of events -> a take.

sampler       logits -> one event: temperature, top-k, nucleus (top-p), min-p
grammar       which events may come next: no hanging, doubled or misplaced notes; scale and range
bounds        how far a take may go beyond its prompt: length, number, density and range of notes
leaning       notes outside the prompt's key become less likely
ending        the end of the prompt, which tells what a take should be like:
density       a take busier or calmer than that is leaned back,
rhythm        one with other times between its onsets,
lengths       one whose notes are held longer or shorter,
register      one that lies higher or lower,
velocities    and one that is louder or softer;
frequencies   how often each of several things is done, against the prompt
repetition    loops are heard, and loosened until they break
dynamics      how loud a take is played: flat prompts stay flat, or get a human touch
options       what to sample (Options) and what came of it (Take); no torch needed
engine        a model on a device: prefills prompts, decodes one event, moves the window on
ranking       which of several takes is most like its prompt
continuation  one or more takes, sampled event by event
"""
