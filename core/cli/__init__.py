"""The command line, continuo-cli. Nothing here imports torch before a command needs it.

start          the way in: loads the rest
app            the list of commands; exit codes; what happens to errors
interrupts     Ctrl-C, SIGTERM and the closing of the terminal
output         one JSON object on stdout, everything else on stderr; the progress bar, tables
prompt         from options to a prompt: which file, tracks, marker, length
continue_      continue; `continue_options` are its options
fill           fill, evaluate-fill
run            continue: sampling, playing, writing and measuring
play           play, ports
look           info, models, import-model, encode, decode
bench          bench
knobs          evaluate-knobs
tracks         train-tracks, evaluate-tracks
words          evaluate-words
published_loop the book's sampling as published, which bench compares with
training       prepare, pack-corpus, train, finetune
evaluation     evaluate, pack
"""
