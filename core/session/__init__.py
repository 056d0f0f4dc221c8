"""What the user works on: a score, its takes, their edits; saved, undone, played.

session     immutable Session, TakeRecord and settings, and the changes that make a new one
arrangement where a take lies in its song: what plays around it, on which tracks
knobs       how a take is to differ from its prompt
edits       delete, transpose, nudge; more of selected notes in edits_notes (make, divide, lengthen), edits_pitch,
            edits_quantise, edits_time and edits_velocity
edits_controls  pedals, pitch bend and other controllers; those of a span, to be copied, in edits_span
edits_song  tempo and metre; name, instrument, volume and pan of a track
clips       notes and controllers to and from the clipboard
assembly    a take put together from bars of several
forks       continue from within a take; accept a take into the score
history     undo and redo by named snapshots
timeline    session -> timed messages for the player, metronome
export      session -> MIDI bytes, WAV file
storage     session <-> `.continuo` file
recovery    autosave, and what a crash left behind
"""
