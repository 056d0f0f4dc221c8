"""A corpus -> a model: the learner, the loop, and the folder of a run.

muon          the optimiser of the hidden matrices
hardware      device, precision and compilation, on a CPU chosen by measuring; windows in one pass; processes
learner       one step of learning: gradients, on one process or many, and what they change
run_folder    a run on disk: checkpoints, log, loss curve, the finished model, what its header says
train         the loop: steps, validations, checkpoints
finetune      a folder of MIDI and a model -> a new model in the user's folder
finetune_process  the same in a process of its own, which tells through a pipe how it stands
"""
