"""Training a Music Transformer on one's own MIDI, from a folder of files to a model in the app.

data        folders of MIDI -> a corpus -> batches
run         the learner, the loop, the folder of a run; fine-tuning
tracks      the weights that give notes to tracks
recipes     the presets book, small and base; the learning rate over a run
averaging   models of one beginning -> one model
evaluation  a model against files: likelihood, statistics, originality
pool        processes that work is shared out to
plots       a run's loss curve, histograms and rolls of an evaluation
"""
