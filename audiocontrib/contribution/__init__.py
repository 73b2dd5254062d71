"""What the responses say: votes, posteriors, accuracy, bits, luck, and what the audio contributes.

Every function takes a DuckDB connection with the views ``items`` (ITEM_SCHEMA) and ``responses``
(RESPONSE_SCHEMA, each question once: a failure that was asked again with success may still be there).
"""

from audiocontrib.contribution.accuracies import accuracy
from audiocontrib.contribution.scores import contributions
from audiocontrib.contribution.votes import unanimity

__all__ = ["accuracy", "contributions", "unanimity"]
