"""The methods of Slack's Web API that the emulated workspace answers."""
