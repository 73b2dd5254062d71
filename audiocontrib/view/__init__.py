"""A live page over the runs of a folder, for one person, on this machine alone."""
