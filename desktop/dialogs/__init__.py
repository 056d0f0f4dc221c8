"""Dialogs: what is asked and told in a window of its own.

questions    every question of one sentence, one method each
about        version, model, licences, where the log file lies
pages        the manual and the list of keys, read beside the window
sound_check  whether what is played can be heard
finetune     a folder of MIDI -> a model of one's own
quantise     where notes are to go on a grid
tempo        tempo and metre, and from where on they hold
track        what a track is called and how it sounds
export       how sound is to be written
"""
