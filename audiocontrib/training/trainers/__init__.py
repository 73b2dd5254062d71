"""The trainers of SFT and GRPO, and what goes around them: start, checkpoints, resume, end."""
