"""What the user works on: a score, its takes, their edits; saved, undone, played.

session     immutable Session, TakeRecord and settings, and the changes that make a new one
edits       delete, transpose, nudge, quantise, velocity of selected notes
edits_song  tempo and metre; name, instrument, volume and pan of a track
forks       continue from within a take; accept a take into the score
history     undo and redo by named snapshots
playback    session -> timed messages for the player, metronome
export      session -> MIDI bytes, WAV file
storage     session <-> `.continuo` file
recovery    autosave, and what a crash left behind
"""
