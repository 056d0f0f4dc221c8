"""What plays and what is sampled, for the window and the command line alike; no Qt, and the clock is passed in.

playback          one song at a time: a session's score and take, or a take while it is sampled
song              what is asked for, what was handed to the player, and what is heard
live_take         a take that is heard while it is sampled: on which channels, with what beside it
output            the player of the output chosen; which ports there are; `standing_port` is the port "Continuo"
run               one continuation: who is called with each step, in which order; how far ahead it goes
generation        the thread that owns the model, reads prompts and samples; `prompts` says what is to be read
fill              a region that is to be filled anew: what stays, and where new notes go
fill_run          the candidates of one region, from the first event to the alternatives that are shown
take_plan         what a take is to be in its song
routers           which tracks play each note of a take as it comes, and on which channels
take_in_progress  the notes of a take on its way
events            callbacks by which playback tells what happens
background        calls made one after the other on a thread of their own
"""
