"""What is public: every name here is on docs/reference/python.md, and stays for two releases after it was renamed."""

from . import answers as answers
from . import errors as errors
from . import statistics as statistics
from .api.audit import audit as audit
from .api.listings import list_datasets as list_datasets
from .api.listings import list_models as list_models
from .api.train import plan_training as plan_training
from .api.train import train as train
from .audio import Clip as Clip
from .conditions import condition as condition
from .contribution import accuracy as accuracy
from .contribution import contributions as contributions
from .contribution.measure import measure as measure
from .contribution.scope import Scope as Scope
from .contribution.summary import summary as summary
from .contribution.unsolved import unsolved as unsolved
from .demo import demo as demo
from .demo import demo_real as demo_real
from .evaluation import compare as compare
from .evaluation import compare_scorers as compare_scorers
from .evaluation import evaluate as evaluate
from .export import export as export
from .importing import import_responses as import_responses
from .items import Item as Item
from .items import Items as Items
from .models import Model as Model
from .models import load_model as load_model
from .plugins import installed_plugins as installed_plugins
from .plugins import load_plugin as load_plugin
from .report.card import card as card
from .report.overview import show as show
from .report.page import report as report
from .scoring import score as score
from .sources import load_items as load_items
from .sources.describe import describe as describe
from .splits import Split as Split
from .splits import split as split
from .splits.certification import certify as certify
from .store import Run as Run
from .store import SavedSplit as SavedSplit
from .store import open_run as open_run
from .store.run import query as query
from .validation import validate as validate
from .weak_to_strong import weak_to_strong as weak_to_strong

__version__: str
