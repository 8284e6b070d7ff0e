"""Foreign skeletons: which joint is which, and their motion as clips of the 24 SMPL joints."""
