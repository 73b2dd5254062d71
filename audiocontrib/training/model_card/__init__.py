"""The card of a trained model: what was trained on what, how it is asked, and how it is made again."""
