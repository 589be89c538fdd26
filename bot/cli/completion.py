"""What a shell offers while somebody types `convox-bot …`: one answer for three shells, each asked by a few lines of its own.

Libraries complete what argparse knows; the words of `do` are a grammar of their own, which argparse never sees.
"""

# ruff: noqa: SLF001 - argparse tells nobody in public what it knows

import argparse
from collections.abc import Iterable, Sequence

SHELLS = ("bash", "zsh", "fish")
# The words so far follow it, as they are: some begin with a dash.
ASKED = ["completion", "--words"]
SCRIPTS = {
    "bash": """\
_convox_bot() {
  local IFS=$'\\n'
  COMPREPLY=($(convox-bot completion --words "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _convox_bot convox-bot
""",
    "zsh": """\
#compdef convox-bot
_convox_bot() {
  local -a found
  found=("${(@f)$(convox-bot completion --words "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  [[ -n "${found[*]}" ]] && compadd -a found || _files
}
# As a file in fpath it is read at the first Tab, which it has to answer; else it is read beforehand.
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _convox_bot "$@"
else
  compdef _convox_bot convox-bot
fi
""",
    "fish": """\
complete -c convox-bot -a '(convox-bot completion --words (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'
""",
}


def candidates(parser: argparse.ArgumentParser, words: Sequence[str]) -> list[str]:
    """Return what the last word may become.

    Args:
        parser: that of the whole program.
        words: what stands after `convox-bot`, the last one unfinished.
    """
    *before, partial = words or [""]
    if before[:1] == ["do"]:
        # The grammar is of no use to any other command.
        from bot.cli.command_completion import next_words  # noqa: PLC0415

        found = next_words(before[1:], partial, _names)
    else:
        found = _of_program(parser, before, partial)
    return sorted({each for each in found if each.startswith(partial)})


def _of_program(parser: argparse.ArgumentParser, before: Sequence[str], partial: str) -> Iterable[str]:
    """Return what the parser of the command that has been typed takes next."""
    for word in before:
        parser = _actions(parser).get(word, parser)
    if partial.startswith("-"):
        return [text for action in parser._actions for text in action.option_strings if text[:2] == "--"]
    known = {text: action for action in parser._actions for text in action.option_strings}
    if before and before[-1] in known and known[before[-1]].nargs != 0:
        if known[before[-1]].metavar == "APP":
            return _names("app", None)
        return map(str, known[before[-1]].choices or ())
    chosen = [
        map(str, action.choices) for action in parser._actions if action.choices and not action.option_strings
    ]
    return [each for group in chosen for each in group]


def _actions(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the commands below a parser."""
    below = [each for each in parser._actions if isinstance(each, argparse._SubParsersAction)]
    return {name: made for each in below for name, made in each.choices.items()}


def _names(wanted: str, app: str | None) -> Iterable[str]:
    from bot.cli.rack_names import rack_names  # noqa: PLC0415 - only where a name is wanted

    return rack_names(wanted, app)
