"""What a training leaves in its folder: checkpoints, metrics, a record of what was done, and the model."""
