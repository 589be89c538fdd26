"""A terminal for a unit test: what is written is drawn as a person would see it."""

import io

import pyte


class Glass(io.StringIO):
    """A terminal of so many columns that draws what is written."""

    def __init__(self, width=40):
        super().__init__()
        self.screen = pyte.Screen(width, 10)
        self._stream = pyte.Stream(self.screen)
        self.screen.set_mode(pyte.modes.LNM)

    def isatty(self):
        return True

    def write(self, text):
        self._stream.feed(text)
        return super().write(text)

    @property
    def lines(self):
        return [line.rstrip() for line in self.screen.display if line.strip()]
