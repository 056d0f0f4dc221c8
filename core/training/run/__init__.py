"""A corpus -> a model: recipes, the learner, the loop, and the folder of a run.

recipes       the presets book, small and base; the learning rate over a run
muon          the optimiser of the hidden matrices
hardware      device, precision and compilation, on a CPU chosen by measuring; windows in one pass
processes     those that train together under torchrun
learner       one step of learning: gradients, on one process or many, and what they change
run_folder    a run on disk: checkpoints, log, loss curve, the finished model
provenance    what a model's header says it was trained on
train         the loop: steps, validations, checkpoints
finetune      a folder of MIDI and a model -> a new model in the user's folder
"""
