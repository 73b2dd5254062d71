"""Common knowledge that the tiny models are taught: questions that nobody needs to listen for."""

from __future__ import annotations

ANIMALS = {
    "barks": "dog",
    "meows": "cat",
    "moos": "cow",
    "neighs": "horse",
    "quacks": "duck",
    "roars": "lion",
    "hoots": "owl",
    "croaks": "frog",
}
FAMILIES = {
    "violin": "strings",
    "cello": "strings",
    "harp": "strings",
    "trumpet": "brass",
    "trombone": "brass",
    "tuba": "brass",
    "oboe": "woodwind",
    "clarinet": "woodwind",
    "bassoon": "woodwind",
    "cymbal": "percussion",
    "triangle": "percussion",
    "marimba": "percussion",
}
PLACES = {
    "waves and seagulls": "beach",
    "cash registers and trolleys": "supermarket",
    "a teacher and pupils": "school",
    "planes taking off": "airport",
    "cheering and a referee": "stadium",
    "prayers and an organ": "church",
    "plates and waiters": "restaurant",
    "tractors and hens": "farm",
}
FACTS: tuple[tuple[tuple[str, ...], dict[str, str]], ...] = (
    (("Which animal {key}?", "What is the animal that {key}?"), ANIMALS),
    (
        ("To which family of instruments does the {key} belong?", "What kind of instrument is a {key}?"),
        FAMILIES,
    ),
    (("Where are {key} heard?", "In which place would one hear {key}?"), PLACES),
)
"""Templates and the facts they ask for, key -> answer; distractors are other answers of the same table."""
