"""A JavaScript text without comments and needless blanks, which does the same.

Blanks in strings, regular expressions and the text of template literals are part of the program, so
the text is read token by token, and code inside a template is read as code, however deep. Names
stay as they are. A line's end stays where a statement may end with it.
"""

import re

REGEX = re.compile(r"/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*")
TOKEN = re.compile(
    r"//[^\n]*|/\*.*?\*/|\s+|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|[\w$]+|.", re.DOTALL
)
# After these a slash begins a regular expression, and a statement does not end.
OPENING = frozenset("([{,;=+-*/%&|!?:<>~^")
# Before these a statement does not end.
GOING_ON = frozenset(")]},;.?:=*%&|<>^")
BEFORE_REGEX = frozenset({"return", "typeof", "case", "in", "of"})


def short(text: str) -> str:
    """Return a script without comments and needless blanks."""
    code, _ = _code(text, 0)
    return code


def _code(text: str, at: int) -> tuple[str, int]:
    """Return code from `at` on and where it ends: at the brace that closes a template's part."""
    out, depth, last, blank = [""], 0, "", ""
    while at < len(text):
        if text[at] == "`":
            token, end = _template(text, at)
        else:
            kinds = (REGEX, TOKEN) if _may_be_regex(last) else (TOKEN,)
            found = next(filter(None, (kind.match(text, at) for kind in kinds)), None)
            assert found is not None  # a token is any character, at least
            token, end = found.group(), found.end()
        if token.isspace() or token.startswith(("//", "/*")):
            blank = "\n" if "\n" in blank + token else blank or " "
            at = end
            continue
        depth += (token == "{") - (token == "}")
        if depth < 0:
            break
        out.append(_between(last, blank, token) + token)
        at, last, blank = end, token, ""
    return "".join(out), at


def _template(text: str, at: int) -> tuple[str, int]:
    """Return the template literal that begins at `at`, its code shortened, and where it ends."""
    out, at = ["`"], at + 1
    while text[at] != "`":
        if text.startswith("${", at):
            code, at = _code(text, at + 2)
            out.append(f"${{{code}}}")
            at += 1
        else:
            size = 1 + (text[at] == "\\")
            out.append(text[at : at + size])
            at += size
    return "".join([*out, "`"]), at + 1


def _may_be_regex(last: str) -> bool:
    return not last or last[-1] in OPENING or last in BEFORE_REGEX


def _between(last: str, blank: str, token: str) -> str:
    """Return what has to stay of the blanks between two tokens."""
    if not blank or not last:
        return ""
    left, right = last[-1], token[0]
    joined = _in_name(left) and _in_name(right) or (left == right and left in "+-/")
    if blank == "\n" and left not in OPENING and right not in GOING_ON:
        return "\n"
    return blank if joined else ""


def _in_name(letter: str) -> bool:
    return letter.isalnum() or letter in "_$"
