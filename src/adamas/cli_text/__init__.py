"""The sentences of the command line and of `adamas show`; see `adamas.pages.sentences`."""

from adamas.pages.sentences import by_language, sentences

# One file for each subject; a key stands in one of them only.
SUBJECTS = ("commands", "options", "refusals", "rules")

# In the order of the files.
SENTENCES = {key: both for name in SUBJECTS for key, both in sentences(__name__, name).items()}
LANGUAGES = by_language(SENTENCES)
# What argparse says by itself: English -> language -> sentence.
ARGPARSE = {both["en"]: both for both in sentences(__name__, "argparse").values()}
