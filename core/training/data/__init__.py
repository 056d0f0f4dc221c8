"""Folders of MIDI -> a corpus -> what the network is shown.

sources       data sets that are known: licence, credit, versions of one song; train, validation, test by song
notes         notes at a finer grid than the codec's, and their events in a few array operations
fingerprint   which pieces are nearly the same
corpus        pieces on disk: memory-mapped notes and events, and their index
packed        a corpus as one small file, to carry to another machine
prepare       folders of MIDI -> a corpus
batches       what the network is shown: crops, augmentation, the plan of an epoch
feed          the batches of a run in order, for a GPU made ahead by processes of their own
"""
