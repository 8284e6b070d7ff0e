"""How the command ends, for shells and for the batch that starts it."""

DONE = 0
SOME_FAILED = 1  # photos of a folder
REFUSED = 2  # with one sentence for the user
STOPPED = 130  # the shell's for Ctrl-C
