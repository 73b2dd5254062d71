"""Cascades: parts that listen, a short text of what they found, and a language model that reads it and answers.

``recipe`` says which parts; ``parts`` finds their weights; ``recognise`` and ``tag`` listen, ``listen`` decides what
is worth recognising and keeps what was found (``keep``); ``evidence`` puts it into words, ``read`` into a prompt;
``cascade`` is the model. Nothing here imports torch until a cascade is loaded.
"""
