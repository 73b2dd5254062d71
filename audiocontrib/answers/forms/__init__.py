"""The closed list of forms by which a statement names an option, in English. On folded text with marks."""
