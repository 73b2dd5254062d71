"""The words that are taught: whole words of the language model's own vocabulary, the most frequent first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

HELD_OUT = 0.06
"""Share of the words that are kept for the test."""
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
CODE = (
    "Alpha", "Bravo", "Charlie", "Delta", "Echo", "Foxtrot", "Golf", "Hotel", "India", "Juliet", "Kilo", "Lima",
    "Mike", "November", "Oscar", "Papa", "Quebec", "Romeo", "Sierra", "Tango", "Uniform", "Victor", "Whiskey",
    "X-ray", "Yankee", "Zulu",
)  # fmt: skip
DAYS_IN: Mapping[str, Sequence[str]] = {
    "English": DAYS,
    "Spanish": ("lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"),
    "French": ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"),
    "Italian": ("lunedì", "martedì", "mercoledì", "giovedì", "venerdì", "sabato", "domenica"),
    "Russian": ("понедельник", "вторник", "среда", "четверг", "пятница", "суббота", "воскресенье"),
}
MONTHS_IN: Mapping[str, Sequence[str]] = {
    "English": MONTHS,
    "Spanish": ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre",
                "noviembre", "diciembre"),
    "French": ("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre",
               "novembre", "décembre"),
    "Italian": ("gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre",
                "ottobre", "novembre", "dicembre"),
    "Russian": ("январь", "февраль", "март", "апрель", "май", "июнь", "июль", "август", "сентябрь", "октябрь",
                "ноябрь", "декабрь"),
}  # fmt: skip
PEOPLE = (
    "The teacher",
    "My sister",
    "The old man",
    "Our neighbour",
    "The doctor",
    "A farmer",
    "The captain",
    "His aunt",
)
DOES = ("opened", "found", "sold", "painted", "carried", "forgot", "repaired", "watched", "lost", "cleaned")
THINGS = (
    "the green door", "a small boat", "the letter", "an umbrella", "the garden gate", "a heavy box", "the old clock",
    "her bicycle", "the kitchen window", "a silver ring", "the red car", "a wooden chair", "the map", "two tickets",
)  # fmt: skip
WHEN = (
    "yesterday", "this morning", "after lunch", "on Sunday", "before the rain", "last winter", "at the station",
    "near the river", "without a word", "in the evening",
)  # fmt: skip
PHONE = (
    "Please press {} to {}.", "To {1}, press {0} now.", "If you want to {1}, dial {0}.", "For {2}, please press {0}.",
    "Your {2} has been {3}.", "The {2} is now {3}.", "Sorry, the {2} was not {3}.",
    "There are {0} new messages in {2}.",
)  # fmt: skip
TO_DO = (
    "hear the menu again", "leave a message", "change the password", "speak to an operator", "cancel the call",
    "add another person", "listen to the next message", "return to the start", "record your name", "delete this file",
)  # fmt: skip
WHAT = ("account", "mailbox", "order", "number", "line", "greeting", "room", "request", "connection", "service")
DONE = ("accepted", "closed", "changed", "found", "removed", "stored", "opened", "blocked", "received", "confirmed")
ABROAD: Mapping[str, Sequence[str]] = {
    "Spanish": ("Buenos días, ¿cómo está usted?", "El tren sale a las ocho.", "No tengo dinero para comprar el libro.",
                "Mañana vamos a la playa con los niños.", "La puerta está cerrada.", "Espere un momento, por favor."),
    "French": ("Bonjour, comment allez-vous?", "Le train part à huit heures.", "Je voudrais une tasse de café.",
               "La porte est fermée.", "Veuillez attendre un instant.", "Nous allons à la mer demain."),
    "Italian": ("Buongiorno, come sta?", "Il treno parte alle otto.", "Vorrei un bicchiere d'acqua.",
                "La porta è chiusa.", "Attendere un momento, per favore.", "Domani andiamo al mare."),
    "Russian": ("Здравствуйте, как ваши дела?", "Поезд уходит в восемь часов.", "Я хочу стакан воды.",
                "Дверь закрыта.", "Пожалуйста, подождите немного.", "Завтра мы поедем на море."),
    "German": ("Guten Morgen, wie geht es Ihnen?", "Der Zug fährt um acht Uhr ab.", "Die Tür ist geschlossen.",
               "Bitte warten Sie einen Augenblick.", "Morgen fahren wir ans Meer."),
    "Portuguese": ("Bom dia, como vai você?", "O trem sai às oito horas.", "A porta está fechada.",
                   "Espere um momento, por favor."),
    "Polish": ("Dzień dobry, jak się pan ma?", "Pociąg odjeżdża o ósmej.", "Drzwi są zamknięte.", "Proszę poczekać."),
    "Dutch": ("Goedemorgen, hoe gaat het met u?", "De trein vertrekt om acht uur.", "De deur is gesloten.",
              "Wacht even, alstublieft."),
    "Swedish": ("God morgon, hur mår du?", "Tåget går klockan åtta.", "Dörren är stängd.", "Var god vänta."),
    "Turkish": ("Günaydın, nasılsınız?", "Tren saat sekizde kalkıyor.", "Kapı kapalı.", "Lütfen bekleyin."),
    "Greek": ("Καλημέρα, τι κάνετε;", "Το τρένο φεύγει στις οκτώ.", "Η πόρτα είναι κλειστή.", "Περιμένετε, παρακαλώ."),
}  # fmt: skip


def vocabulary(tokenizer: Any, count: int, rng: Random) -> tuple[list[str], list[str]]:
    """Words to teach, and words of the test: lower case, four to ten letters, one token each."""
    found = []
    for token in sorted(tokenizer.get_vocab().items(), key=lambda pair: pair[1]):
        word = token[0].removeprefix("Ġ")
        if token[0].startswith("Ġ") and word.isascii() and word.isalpha() and word.islower() and 4 <= len(word) <= 10:
            found.append(word)
    chosen = sorted(found[:count])
    rng.shuffle(chosen)
    held = round(len(chosen) * HELD_OUT)
    return chosen[held:], chosen[:held]


def sentence(rng: Random) -> str:
    """A plain English sentence."""
    if rng.random() < 0.6:
        return f"{rng.choice(PEOPLE)} {rng.choice(DOES)} {rng.choice(THINGS)} {rng.choice(WHEN)}."
    form = rng.choice(PHONE)
    return form.format(rng.choice(DIGITS[1:]), rng.choice(TO_DO), rng.choice(WHAT), rng.choice(DONE))
