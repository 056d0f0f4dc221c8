"""Which track of a song plays what: the notes of a take given to the prompt's tracks, and drums that go on.

note_stream       the notes of several tracks as one stream, and where a note stands in the metre
track_state       what each track sounds and last played
histograms        smoothed histograms of what each track plays
prompt_model      what a prompt tells of its tracks
features          what speaks for each track to play a note
track_assignment  TrackAssigner: each sampled note to its track, once it is known whether its chord goes on
evaluation        how often notes are given to their own track
drums             the drums' pattern, found and repeated
"""
