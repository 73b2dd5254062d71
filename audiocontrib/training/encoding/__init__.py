"""Rows as the network takes them: tokens, features of the sound, and labels."""
