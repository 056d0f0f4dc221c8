"""Continuo without its window: everything that needs no Qt.

midi        Standard MIDI Files <-> Score (notes, pedals, tempo map)
codec       Score <-> events, the 388 symbols of the performance vocabulary
model       the Music Transformer, its KV cache, its weights on disk
generation  prompt + options + seed -> a stream of events -> a take
live        timed messages -> a MIDI port, the built-in synth or a file, from a process of its own
tracks      the notes of a take to the prompt's tracks; drums that go on
session     what the user works on: score, takes, edits; saved, undone, played
words       a line of English -> knobs
performance what plays and is sampled when, for the window and the command line alike
training    one's own MIDI -> a model
settings    the user's choices that outlive a session
processor   whether it can run the libraries
errors      each a sentence for a musician
files       read up to a size, written whole or not at all
resources   where bundled files and the user's own lie
logs        the log file, and an error's sentence for the user
cli         the command line, continuo-cli
"""
