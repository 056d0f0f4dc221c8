"""Folders of MIDI -> a corpus -> what the network is shown.

sources       data sets that are known: licence, credit, versions of one song; train, validation, test by song
notes         notes at a finer grid than the codec's, and their events in a few array operations
fingerprint   which pieces are nearly the same
corpus        pieces on disk: memory-mapped notes and events, and their index
packed        a corpus as one small file, to carry to another machine
prepare       folders of MIDI -> a corpus
crops         windows of pieces from left to right, and how they are changed
middles       windows in which a middle is to be filled in, for models that know symbols
attributes    the symbols that say what a window's music is like
batches       what the network is shown: the plan of an epoch, batches of ids
feed          the batches of a run in order, for a GPU made ahead by processes of their own
"""
