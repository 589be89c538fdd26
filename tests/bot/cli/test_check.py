"""`convox-bot check` tells from the file alone what a release would be, and everything that is wrong with it."""

from pathlib import Path

import pytest

from bot.cli.main import main

MANIFEST = """environment: [SECRET_KEY]
services:
  web:
    image: registry.example/web:1
    port: 3000
    domain: x.example
    scale: {count: 2-5, cpu: 100, memory: 64, targets: {cpu: 70, memory: 90}}
  worker: {build: ., singleton: true}
timers:
  nightly: {schedule: 0 4 * * *, service: web, command: bin/clean}
"""


def check(tmp_path: Path, text: str, *words: str) -> int:
    (tmp_path / "convox.yml").write_text(text, encoding="utf-8")
    return main(["check", str(tmp_path / "convox.yml"), *words])


def test_it_prints_each_object_and_what_has_no_effect(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert check(tmp_path, MANIFEST, "--env", "SECRET_KEY=hush") == 0

    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "Secret env-web (9 variables)",
        "Secret env-worker (8 variables)",
        "Service web (3000/tcp)",
        "PodDisruptionBudget web",
        "PodDisruptionBudget worker",
        "Deployment web (2 × 100m 64Mi)",
        "Deployment worker (1 × 250m 512Mi, down while it is replaced)",
        "HorizontalPodAutoscaler web (2 to 5, cpu 70 %, memory 90 %)",
        'CronJob timer-nightly "0 4 * * *"',
        "Note: nobody outside of the cluster reaches web: this rack has no router",
        "Note: domain of web is without effect: this rack has no router",
    ]
    assert "hush" not in out + err
    assert err == ""


def test_with_the_settings_of_a_router_it_says_where_a_service_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CONVOX_ROUTER", "ingress:nginx")
    monkeypatch.setenv("CONVOX_DOMAIN", "apps.example.com")
    assert check(tmp_path, MANIFEST, "--env", "SECRET_KEY=hush") == 0
    out = capsys.readouterr().out.splitlines()
    assert "Ingress web → web.app.apps.example.com, x.example" in out

    monkeypatch.setenv("CONVOX_ROUTER", "gateway:gateways/main")
    assert check(tmp_path, MANIFEST, "--env", "SECRET_KEY=hush") == 0
    out = capsys.readouterr().out.splitlines()
    assert "HTTPRoute web → web.app.apps.example.com, x.example" in out


def test_settings_of_a_router_that_name_none_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("CONVOX_ROUTER", "nginx")
    assert check(tmp_path, MANIFEST) == 2
    assert "CONVOX_ROUTER names no router" in capsys.readouterr().err


def test_a_service_with_gpus_may_ask_for_nothing_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert check(tmp_path, "services: {web: {image: a, scale: {gpu: 1}}}") == 0

    assert "Deployment web (1 × 1 nvidia.com/gpu)" in capsys.readouterr().out


def test_a_variable_that_is_still_to_be_set_is_named_beside_what_would_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    assert check(tmp_path, MANIFEST) == 1

    out, err = capsys.readouterr()
    assert "Deployment worker" in out
    assert err == "ERROR: required env: SECRET_KEY\n"


def test_variables_come_from_a_file_and_the_command_line_wins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    # As `env set` takes it: a value may have several lines.
    (tmp_path / ".env").write_text(
        "# made by hand\r\n\r\nCOUNT=3\r\nSECRET_KEY=x=y\r\nPEM<<END\r\nCOUNT=9\r\nEND\r\n",
        encoding="utf-8",
        newline="",
    )
    text = MANIFEST.replace("count: 2-5", "count: ${COUNT}")

    assert check(tmp_path, text, "--env-file", str(tmp_path / ".env")) == 0
    assert "Deployment web (3 ×" in capsys.readouterr().out
    assert check(tmp_path, text, "--env-file", str(tmp_path / ".env"), "--env", "COUNT=4") == 0
    assert "Deployment web (4 ×" in capsys.readouterr().out


def test_every_problem_is_told_with_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert check(tmp_path, "services:\n  web:\n    prot: 1\n    scale: x\n") == 1

    assert capsys.readouterr().err.splitlines() == [
        'ERROR: convox.yml line 3: unknown key "prot" in service web; did you mean "port"?',
        'ERROR: convox.yml line 4: invalid scale: "x" (scale of service web must be a number, or two with a dash)',
    ]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("SECRET", "not KEY=VALUE: line 1"),
        ("=SECRET", "not KEY=VALUE: line 1"),
        (
            "A<<END\nSECRET",
            "not KEY=VALUE: line 1; nothing stands before a name, such as `export`; a value of several",
        ),
    ],
)
def test_a_line_that_is_no_variable_is_named_by_its_number_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, sentence: str
):
    (tmp_path / ".env").write_text(text, encoding="utf-8")
    assert check(tmp_path, MANIFEST, "--env-file", str(tmp_path / ".env")) == 1
    err = capsys.readouterr().err
    assert sentence in err
    assert "SECRET" not in err


def test_a_file_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["check", str(tmp_path / "none.yml")]) == 1
    assert "none.yml cannot be read: No such file" in capsys.readouterr().err


def test_what_is_no_variable_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        check(tmp_path, MANIFEST, "--env", "SECRET_KEY")
    assert ended.value.code == 2
    assert "not KEY=VALUE: SECRET_KEY" in capsys.readouterr().err


def test_a_policy_file_is_checked_the_same_way(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    good, bad = tmp_path / "good.yml", tmp_path / "bad.yml"
    good.write_text(
        "roles: {dev: [view, promote]}\nmembers: [{who: [U01ANA], roles: [dev]}]\napps: [{match: [shop-*]}]\n",
        encoding="utf-8",
    )
    bad.write_text("rols: {}\n", encoding="utf-8")

    assert main(["check", "--policy", str(good)]) == 0
    assert capsys.readouterr().out.splitlines() == ["role dev: promote, view", "apps shop-*"]
    assert main(["check", "--policy", str(bad)]) == 1
    assert 'line 1: unknown key "rols"' in capsys.readouterr().err
