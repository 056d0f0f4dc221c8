"""Sampling: prompt + options + seed -> a stream of events -> a take.

options            what to sample (Options) and what came of it (Take); no torch needed
prompt_summary     what a prompt tells about how its takes should be
logits_processors  keep a take like its prompt: key, density, rhythm, note lengths, register, velocities; break loops
frequencies        how often a take does something, or ends it, compared with its prompt: what to add to the logits
knobs              what the knobs ask for: a changed summary, and processors for chords and mode, which no other serves
constraints        which events may come next: no hanging, doubled or misplaced notes; scale, range and bounds
sampler            a model's logits -> one event of a take: constraints, processors, temperature, top-k, top-p, min-p
dynamics           how loud a take is played: flat prompts stay flat, or get a human touch
engine             a model on a device: prefills prompts, decodes one event, moves the window on
continuation       one or more takes, sampled event by event; which of them is most like its prompt
filling            fills a gap in music, by what comes before it and what follows
"""
