"""What the responses say: votes, posteriors, accuracy, bits, luck, and what the audio contributes.

Every measure takes a run first (or an open connection with the views ``items`` and ``responses``), and the rest by
keyword: its own arguments, and a :class:`~audiocontrib.contribution.scope.Scope` or its fields. A word that the run
does not know is refused in one line that lists what there is.
"""

from audiocontrib.contribution.accuracies import accuracy
from audiocontrib.contribution.scope import Scope
from audiocontrib.contribution.scores import contributions
from audiocontrib.contribution.votes import unanimity

__all__ = ["Scope", "accuracy", "contributions", "unanimity"]
