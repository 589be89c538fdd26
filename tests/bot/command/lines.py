"""Command lines of every shape, from the table of the grammar: a new command or flag is part of them as soon as it stands there."""

import re

from hypothesis import strategies as st

from bot.command import flags
from bot.command.grammar import RULES, CommandRule
from bot.command.lexer import encode

SECRET = "Hunter2"
RELEASE, BUILD, PROMOTION = "RABCDEFGHIJ", "BABCDEFGHIJ", "PABCDEFGHIJ"
_VALUE = SECRET * 2
# Arguments as they should be, and as people, phones and Slack make them.
RIGHT = (
    *(RELEASE, RELEASE.lower(), BUILD, PROMOTION, "myapp", "web", "worker", "LOG_LEVEL", "5", "0", "10m", "2026-01-31T14:00Z"),
    *(f"A={_VALUE}", f"B='{_VALUE} {_VALUE}'", f'C="{_VALUE}=x"', "D=", f"myapp={_VALUE}", '"the registry is back"', "true"),
)  # fmt: skip
WRONG = (
    *("R123", "*myapp*", "`web`", "“web”", "1A", "A-B", "-5", "99999", "soon", "2026-99-99", "é", "\u200bweb", "x" * 300, "*", "\0"),
    *(f"1A={_VALUE}", f"A='{_VALUE}", f"={_VALUE}", f"A=“{_VALUE}”", f"A=\\{_VALUE}", f"A.B-C={_VALUE}", "`A=1`", "=", "'", '"', "\\"),
    *("<@U01ANA|ana>", "<#C01|web>", "<https://x/?a=1|x>", "<mailto:a@b.c|a@b.c>", "<!here>", "&amp;lt;", "&lt;b&gt;", "<", "\n", "-", "--", "—"),
)  # fmt: skip
words = st.sampled_from(RIGHT) | st.sampled_from(RIGHT) | st.sampled_from(WRONG)
SHORT = {name: letter for letter, name in flags.SHORT.items()}


# What stands in the usages, and what of it is right; anything is tried where nothing stands here.
ARGUMENTS = {
    "RELEASE": (RELEASE,),
    "BUILD": (BUILD,),
    "PROMOTION": (PROMOTION,),
    "APP": ("myapp", "other"),
    "NAME": ("myapp", "other"),
    "SERVICE": ("web", "worker"),
    "KEY": ("LOG_LEVEL", "A"),
    "KEY=VALUE": (f"A={_VALUE}", f"B='{_VALUE} {_VALUE}'", "LOG_LEVEL=", "D=“x”"),
    "REASON": ('"the registry is back"', "not now"),
}
OF_FLAGS = {
    "an app": ("myapp",),
    "a number": ("5",),
    "a release": (RELEASE,),
    "a time": ("2026-01-31T14:00Z",),
}


def arguments_of(rule: CommandRule) -> list[str]:
    """Return what the usage of a command names, without its flags and what those take."""
    found, skip = [], False
    for word in re.sub(r'[][()"…|]', " ", rule.tail).split():
        if word.startswith("-"):
            skip = flags.SHORT.get(word.lstrip("-"), word.lstrip("-")) in flags.VALUES
        elif not skip:
            found.append(word)
        else:
            skip = False
    return found


@st.composite
def right_lines(draw: st.DrawFn) -> str:
    """Return a command as its usage says; some arguments are left out and some are given twice."""
    rule = draw(st.sampled_from(RULES))
    arguments = [draw(st.sampled_from(ARGUMENTS.get(name, RIGHT))) for name in arguments_of(rule)]
    names = draw(st.lists(st.sampled_from(rule.flags), max_size=3, unique=True)) if rule.flags else []
    given = [
        f"--{name} {draw(st.sampled_from(OF_FLAGS.get(flags.VALUES[name], RIGHT)))}"
        if name in flags.VALUES
        else f"--{name}"
        for name in names
    ]
    if arguments and draw(st.integers(0, 5)) == 0:
        arguments = arguments[1:] if draw(st.booleans()) else [*arguments, arguments[-1]]
    return " ".join([*rule.words, *arguments, *given])


@st.composite
def flag_words(draw: st.DrawFn, names: tuple[str, ...]) -> str:
    """Return a flag with or without a value, written as people and phones write one."""
    name = draw(st.sampled_from(names))
    dashes = draw(st.sampled_from(("--", "--", "—", "-", "–")))
    written = f"-{SHORT[name]}" if name in SHORT and draw(st.booleans()) else f"{dashes}{name}"
    takes_one = name in flags.VALUES
    if draw(st.integers(0, 9)) == 0:
        takes_one = not takes_one
    return written + (draw(st.sampled_from((" ", "="))) + draw(words) if takes_one else "")


@st.composite
def typed_lines(draw: st.DrawFn) -> str:
    """Return a command with arguments and flags, perhaps with words lost, doubled or misplaced."""
    rule = draw(st.sampled_from(RULES))
    own = flag_words(rule.flags) if rule.flags else words
    rest = draw(st.lists(words | own, max_size=4))
    if draw(st.integers(0, 4)) == 0:
        rest.append(draw(flag_words((*flags.KNOWN, "nope", "forse"))))
    line = [*rule.words, *rest]
    for _ in range(draw(st.sampled_from((0, 0, 0, 1, 2)))):
        at = draw(st.integers(0, len(line) - 1))
        match draw(st.integers(0, 3)):
            case 0:
                line[at] = line[at].upper()
            case 1:
                line.insert(at, draw(words))
            case 2:
                line[at] = line[at][: draw(st.integers(0, len(line[at])))] + draw(st.text(max_size=2))
            case _:
                line.append(line.pop(at))
    return draw(st.sampled_from((" ", " ", " ", "  ", "\u00a0", "\n"))).join(line)


lines = (
    right_lines()
    | right_lines()
    | typed_lines()
    | st.lists(words, max_size=5).map(" ".join)
    | st.text(max_size=60)
)
# As a terminal joins words, and as Slack delivers what was typed.
delivered = st.tuples(lines, st.booleans()).map(
    lambda line: (encode(line[0]), True) if line[1] else (line[0], False)
)
