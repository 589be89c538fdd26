"""`convox-bot doctor` as a program: nothing answers, and each thing is a sentence, on stdout, with no line of a log beside."""

import json
import subprocess
import sys

from storage.keys import Keyring
from tests.docs.pages import ROOT


def test_where_nothing_answers_each_thing_is_a_document_and_nothing_else_is_printed(tmp_path):
    environ = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(tmp_path),
        "SLACK_BOT_TOKEN": "xoxb-made-up",
        "SLACK_APP_TOKEN": "xapp-made-up",
        "SLACK_API_URL": "http://127.0.0.1:9/",
        "CONVOX_KEYS": Keyring.generate(),
        "CONVOX_DATABASE": str(tmp_path / "convox.db"),
        "CONVOX_POLICY": str(tmp_path / "policy.yml"),
        "KUBECONFIG": str(tmp_path / "nowhere"),
    }
    program = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); from bot.cli.main import main; sys.exit(main())"
    )
    words = [sys.executable, "-c", program, str(ROOT), "doctor", "-o", "json"]

    said = subprocess.run(
        words, env=environ, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )

    assert (said.returncode, said.stderr) == (1, "")
    found = {each["check"]: each for each in json.loads(said.stdout)}
    wrong = {name: each["problem"] for name, each in found.items() if not each["ok"]}
    assert wrong.keys() - {"disk"} == {"policy", "SLACK_BOT_TOKEN", "cluster"}
    assert wrong["cluster"] == f"there is no kubeconfig at {tmp_path / 'nowhere'}"
    assert all(bool(each["remedy"]) != each["ok"] for each in found.values())
