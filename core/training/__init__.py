"""Training a Music Transformer on one's own MIDI, from a folder of files to a model in the app.

sources       data sets that are known: licence, credit, which files are versions of one song
splits        train, validation, test: by a CSV, or by a hash of the song
notes         notes at a finer grid than the codec's, and their events in a few array operations
fingerprint   which pieces are nearly the same
corpus        pieces on disk: memory-mapped notes and events, and their index
prepare       folders of MIDI -> a corpus
batches       what the network is shown: crops, augmentation, the plan of an epoch
feed          the batches of a run in order, for a GPU made ahead by processes of their own
recipes       the presets book, small and base; the learning rate over a run
muon          the optimiser of the hidden matrices
hardware      device, precision and compilation, on a CPU chosen by measuring; windows in one pass
processes     those that train together under torchrun
learner       one step of learning: gradients, on one process or many, and what they change
run_folder    a run on disk: checkpoints, log, loss curve, the finished model
provenance    what a model's header says it was trained on
train         the loop: steps, validations, checkpoints
finetune      a folder of MIDI and a model -> a new model in the user's folder
nll           negative log-likelihood per event, with the context carried on
statistics    continuations against the true ones
originality   the longest stretch that a continuation copies from the training data
continuations held-out prompts, and what a model makes of each
criteria      how well takes go on: what a model is chosen and its sampling tuned by
evaluate      a model against files: likelihood, statistics, originality
plots         histograms and rolls of an evaluation, a run's loss curve
"""
