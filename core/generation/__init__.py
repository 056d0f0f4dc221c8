"""Sampling: prompt + options + seed -> a stream of events -> a take.

options            what to sample (Options) and what came of it (Take); no torch needed
prompt_summary     what a prompt tells about how its takes should be
logits_processors  keep a take like its prompt: key, density, rhythm, note lengths, register, velocities; break loops
frequencies        how often a take does something, how readily it ends it, against its prompt: what they lean by
knobs              what the knobs ask for: a changed summary, and processors where no other serves
constraints        which events may come next: no hanging, doubled or misplaced notes; scale, range and bounds
sampler            logits -> one event: temperature, top-k, nucleus (top-p), min-p
dynamics           how loud a take is played: flat prompts stay flat, or get a human touch
engine             a model on a device: prefills prompts, decodes one event, moves the window on
sampling_state     what the events of one take are chosen by
continuation       one or more takes, sampled event by event; which of them is most like its prompt
filling            what fills a gap in music: a room of its own
"""
