"""Settings: from the environment, `.env` and files; every problem at once, and never a value."""

from pathlib import Path

import pytest

from bot.admin.settings import DatabaseSettings, RackSettings
from bot.settings import Settings, SettingsError, StoreSettings, read_settings
from bot.webhook_settings import WebhookSettings
from core.records.router import NO_ROUTER, Router
from storage.keys import Keyring

KEY, OLD_KEY = Keyring.generate(), Keyring.generate()
GOOD = {
    "SLACK_BOT_TOKEN": "xoxb-1",
    "SLACK_APP_TOKEN": "xapp-1",
    "CONVOX_KEYS": KEY,
    "CONVOX_OPEN": "1",
}


def settings(**changes: str | None) -> Settings:
    given = {name: value for name, value in {**GOOD, **changes}.items() if value is not None}
    return read_settings(Settings, given, dotenv=None)


def problems(**changes: str | None) -> list[str]:
    with pytest.raises(SettingsError) as wrong:
        settings(**changes)
    assert str(wrong.value) == "\n".join(wrong.value.problems)
    return wrong.value.problems


def test_what_is_not_set_has_the_documented_default():
    made = settings()
    assert made.convox_database == Path("convox.db")
    assert (made.host, made.port, made.api_host, made.api_port) == ("0.0.0.0", 3000, "0.0.0.0", 3001)
    assert (made.convox_rack, made.slack_api_url) == ("convox", "https://slack.com/api/")
    assert (made.convox_policy, made.kubeconfig) == (None, None)


def test_an_empty_value_is_as_if_it_were_not_set():
    made = settings(SLACK_SIGNING_SECRET="", PORT="", CONVOX_RACK="")
    assert (made.slack_signing_secret, made.port, made.convox_rack) == (None, 3000, "convox")


def test_a_line_end_behind_a_secret_is_no_part_of_it():
    made = settings(SLACK_BOT_TOKEN="xoxb-1\n", SLACK_APP_TOKEN=" xapp-1\r\n", CONVOX_KEYS=f"{KEY}\n")
    assert made.slack_bot_token.get_secret_value() == "xoxb-1"
    assert made.slack_app_token is not None
    assert made.slack_app_token.get_secret_value() == "xapp-1"
    assert [key.get_secret_value() for key in made.convox_keys] == [KEY]


def test_keys_are_separated_by_commas_newest_first():
    made = settings(CONVOX_KEYS=f" {KEY}, {OLD_KEY} ,")
    assert [key.get_secret_value() for key in made.convox_keys] == [KEY, OLD_KEY]


def test_the_api_url_may_lack_its_last_slash():
    assert settings(SLACK_API_URL="http://127.0.0.1:4080/api").slack_api_url == "http://127.0.0.1:4080/api/"


def test_a_workspace_is_no_organisation():
    assert settings(SLACK_TEAM_ID="T0CONVOX01").slack_team_id == "T0CONVOX01"
    assert problems(SLACK_TEAM_ID="E01ACME") == ["SLACK_TEAM_ID is no workspace: the id of one begins with T"]


def test_with_a_signing_secret_it_is_http_mode():
    made = settings(SLACK_APP_TOKEN=None, SLACK_SIGNING_SECRET="8f742231b10e8888abcd99yyyzzz85a5")
    assert made.slack_app_token is None


def test_both_modes_at_once_are_refused_with_which_to_drop():
    (said,) = problems(SLACK_SIGNING_SECRET="8f742231")
    assert "drop SLACK_SIGNING_SECRET for Socket Mode, or SLACK_APP_TOKEN for HTTP mode" in said


def test_no_mode_at_all_is_refused_with_what_to_set():
    assert problems(SLACK_APP_TOKEN=None) == [
        "set SLACK_APP_TOKEN (xapp-…) for Socket Mode, or SLACK_SIGNING_SECRET for HTTP mode"
    ]


def test_nobody_is_let_in_by_accident():
    (said,) = problems(CONVOX_OPEN=None)
    assert said.startswith("CONVOX_POLICY is not set: name a policy file, or set CONVOX_OPEN=1")
    assert problems(CONVOX_OPEN="0") == [said]
    assert settings(CONVOX_OPEN=None, CONVOX_POLICY="policy.yml").convox_policy == Path("policy.yml")


def test_every_setting_that_is_missing_or_wrong_is_named_at_once_and_no_value_is_shown():
    said = problems(
        SLACK_BOT_TOKEN="hunter22hunter22",
        SLACK_APP_TOKEN="xoxb-secret",
        CONVOX_KEYS=None,
        CONVOX_RACK="My Rack",
        PORT="many",
    )
    assert [line.split(" ")[0] for line in said] == [
        "CONVOX_KEYS",
        "SLACK_BOT_TOKEN",
        "SLACK_APP_TOKEN",
        "CONVOX_RACK",
        "PORT",
    ]
    assert said[0] == "CONVOX_KEYS is not set; `convox-bot keygen` prints a key"
    assert said[1] == "SLACK_BOT_TOKEN must begin with xoxb-"
    assert not [line for line in said if "hunter22" in line or "secret" in line or "many" in line]


def test_a_missing_token_is_said_to_be_missing():
    assert problems(SLACK_BOT_TOKEN=None) == ["SLACK_BOT_TOKEN is not set"]


@pytest.mark.parametrize("keys", [",", " , "])
def test_keys_without_a_key_are_refused(keys):
    assert problems(CONVOX_KEYS=keys) == ["CONVOX_KEYS holds no key; `convox-bot keygen` prints one"]


@pytest.mark.parametrize("rack", ["Convox", "1rack", "rack-", "r" * 27, "a_b"])
def test_a_rack_that_no_namespace_could_begin_with_is_refused(rack):
    sentence = (
        "CONVOX_RACK cannot be the name of a rack: up to 26 lower-case letters, digits and dashes, the first of them "
        "a letter and the last no dash"
    )
    assert problems(CONVOX_RACK=rack) == [sentence]
    with pytest.raises(SettingsError) as wrong:
        read_settings(RackSettings, {"CONVOX_RACK": rack}, dotenv=None)
    assert wrong.value.problems == [sentence]


@pytest.mark.parametrize("size", ["0", "-1", "16385", "1.5", "512M", "9" * 5000])
def test_a_size_of_sources_that_is_none_is_refused(size):
    assert problems(CONVOX_MAX_SOURCE=size) == [
        "CONVOX_MAX_SOURCE is no size: a whole number of MiB from 1 to 16384"
    ]


@pytest.mark.parametrize("port", ["-1", "65536", "3000x", "80.5", "9" * 5000])
def test_a_port_that_is_none_is_refused(port):
    assert problems(API_PORT=port) == ["API_PORT is no port: a port is a whole number from 0 to 65535"]


@pytest.mark.parametrize("answer", ["maybe", "2", "open"])
def test_a_switch_that_is_neither_on_nor_off_is_refused(answer):
    said = problems(CONVOX_OPEN=answer)
    assert "CONVOX_OPEN is neither yes nor no: 1 means yes, 0 means no" in said


def test_no_sentence_of_the_library_reaches_an_operator():
    given = {
        "CONVOX_RACK": "a_b",
        "PORT": "x",
        "API_PORT": "70000",
        "CONVOX_OPEN": "maybe",
        "CONVOX_KEYS": ",",
    }
    said = "\n".join(problems(**given))
    for word in ("should", "Input", "valid integer", "pattern", "boolean", "tuple", "^["):
        assert word not in said


def test_a_setting_may_come_from_a_file_without_its_last_line_end(tmp_path: Path):
    (tmp_path / "key").write_text(f"{KEY}\n")
    made = settings(CONVOX_KEYS=None, CONVOX_KEYS_FILE=str(tmp_path / "key"))
    assert made.convox_keys[0].get_secret_value() == KEY


def test_a_file_that_cannot_be_read_is_said_once_and_not_as_a_missing_setting(tmp_path: Path):
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    said = problems(
        CONVOX_KEYS=None,
        CONVOX_KEYS_FILE=str(tmp_path / "nowhere"),
        SLACK_BOT_TOKEN=None,
        SLACK_BOT_TOKEN_FILE=str(tmp_path / "binary"),
    )
    assert said == [
        f"CONVOX_KEYS_FILE names {tmp_path}/nowhere, which cannot be read: No such file or directory",
        f"SLACK_BOT_TOKEN_FILE names {tmp_path}/binary, which cannot be read: it is not text",
    ]


def test_a_setting_and_its_file_at_once_are_refused(tmp_path: Path):
    (tmp_path / "key").write_text(KEY)
    said = problems(CONVOX_KEYS_FILE=str(tmp_path / "key"))
    assert said == ["CONVOX_KEYS and CONVOX_KEYS_FILE are both set: drop one"]


def test_an_optional_file_that_cannot_be_read_is_refused_although_nothing_else_is_wrong(tmp_path: Path):
    (said,) = problems(KUBECONFIG_FILE=str(tmp_path / "nowhere"))
    assert said.startswith("KUBECONFIG_FILE names ")


def test_dotenv_is_read_and_the_environment_wins(tmp_path: Path):
    dotenv = tmp_path / ".env"
    dotenv.write_text("SLACK_BOT_TOKEN=xoxb-file\nCONVOX_RACK=filed\nEXPORTED\n# a comment\n")
    made = read_settings(Settings, {**GOOD, "SLACK_BOT_TOKEN": "xoxb-environment"}, dotenv=dotenv)
    assert made.slack_bot_token.get_secret_value() == "xoxb-environment"
    assert made.convox_rack == "filed"


def test_without_a_dotenv_nothing_is_missed(tmp_path: Path):
    assert read_settings(Settings, GOOD, dotenv=tmp_path / ".env").convox_rack == "convox"


def test_the_process_environment_is_the_default(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CONVOX_DATABASE", "elsewhere.db")
    assert read_settings(DatabaseSettings, dotenv=None).convox_database == Path("elsewhere.db")


def test_a_command_beside_the_bot_asks_for_nothing_that_it_does_not_need():
    assert read_settings(DatabaseSettings, {}, dotenv=None).convox_database == Path("convox.db")
    with pytest.raises(SettingsError, match="^CONVOX_KEYS is not set"):
        read_settings(StoreSettings, {}, dotenv=None)


def test_no_repr_shows_a_secret():
    shown = repr(settings(SLACK_BOT_TOKEN="xoxb-very-secret"))
    assert "very-secret" not in shown
    assert KEY not in shown


def test_every_problem_is_told_in_one_round():
    with pytest.raises(SettingsError) as wrong:
        read_settings(Settings, {"PORT": "many"}, dotenv=None)
    problems = "\n".join(wrong.value.problems)
    for name in ("SLACK_BOT_TOKEN", "CONVOX_KEYS", "SLACK_APP_TOKEN", "CONVOX_POLICY", "PORT"):
        assert name in problems


def test_without_a_word_about_it_there_is_no_router():
    assert settings().router == NO_ROUTER
    assert settings(CONVOX_DOMAIN="apps.example.com", CONVOX_ISSUER="letsencrypt").router == NO_ROUTER


def test_a_router_is_an_ingress_class_or_a_gateway():
    ingress = settings(CONVOX_ROUTER="ingress:nginx", CONVOX_DOMAIN="Apps.Example.com.", CONVOX_ISSUER="le")
    assert ingress.router == Router(kind="ingress", name="nginx", domain="apps.example.com", issuer="le")
    gateway = settings(CONVOX_ROUTER="gateway:infra/public", CONVOX_DOMAIN="x.example")
    assert gateway.router == Router(kind="gateway", namespace="infra", name="public", domain="x.example")
    assert (str(ingress.router), str(gateway.router)) == ("ingress class nginx", "Gateway infra/public")
    assert ingress.router.host("web", "shop") == "web.shop.apps.example.com"


@pytest.mark.parametrize(
    "router",
    ["nginx", "ingress", "ingress:", "ingress:Two Words", "gateway:", "gateway:main", "gateway:a/b/c"],
)
def test_what_is_no_router_is_told_with_what_one_is(router: str):
    (said,) = problems(CONVOX_ROUTER=router, CONVOX_DOMAIN="x.example")
    assert said == "CONVOX_ROUTER names no router: it is none, ingress:CLASS or gateway:NAMESPACE/NAME"


def test_a_router_needs_a_domain():
    (said,) = problems(CONVOX_ROUTER="ingress:nginx")
    assert said.startswith("CONVOX_ROUTER is set and CONVOX_DOMAIN is not: name the domain")
    (other,) = problems(CONVOX_ROUTER="ingress:nginx", CONVOX_DOMAIN="*.example.com")
    assert other.startswith("CONVOX_DOMAIN is no domain such as apps.example.com of at most 158 characters")


def test_an_issuer_is_a_name():
    (said,) = problems(CONVOX_ISSUER="Let's Encrypt")
    assert said.startswith("CONVOX_ISSUER is no name of a ClusterIssuer")


def test_builds_in_the_cluster_take_a_registry_and_an_address():
    none = settings()
    assert (none.convox_registry, none.convox_build_address, none.convox_build_timeout) == (None, None, 3600)
    given = settings(
        CONVOX_REGISTRY="https://registry.example:5000/apps/",
        CONVOX_REGISTRY_USER="bot",
        CONVOX_REGISTRY_PASSWORD="secret",
        CONVOX_BUILD_ADDRESS="http://bot:3001/",
        CONVOX_BUILD_CPU="500m",
    )
    assert (given.convox_registry, given.convox_build_address) == (
        "registry.example:5000/apps",
        "http://bot:3001",
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"CONVOX_REGISTRY": "registry.example"}, "CONVOX_REGISTRY is set and CONVOX_BUILD_ADDRESS is not"),
        (
            {"CONVOX_REGISTRY_USER": "bot"},
            "CONVOX_REGISTRY_USER and CONVOX_REGISTRY_PASSWORD are set together",
        ),
        (
            {"CONVOX_REGISTRY": "Not One", "CONVOX_BUILD_ADDRESS": "http://b"},
            "CONVOX_REGISTRY is no registry",
        ),
        ({"CONVOX_BUILD_ADDRESS": "bot:3001"}, "CONVOX_BUILD_ADDRESS is no address such as http://"),
        ({"CONVOX_BUILD_IMAGE": "No Image"}, "CONVOX_BUILD_IMAGE is no image: it has spaces"),
        ({"CONVOX_BUILD_MEMORY": "lots"}, "CONVOX_BUILD_MEMORY is no quantity of Kubernetes"),
        (
            {"CONVOX_BUILD_TIMEOUT": "5"},
            "CONVOX_BUILD_TIMEOUT is no time for a build: whole seconds, from 60 to 21600",
        ),
        ({"CONVOX_BUILD_TIMEOUT": "soon"}, "CONVOX_BUILD_TIMEOUT is no time for a build"),
        (
            {"CONVOX_BUILD_USER_NAMESPACES": "1", "CONVOX_BUILD_IMAGE": "r.example/buildkit:v1-rootless"},
            "CONVOX_BUILD_USER_NAMESPACES is set and CONVOX_BUILD_IMAGE is rootless",
        ),
        (
            {"CONVOX_BUILD_USER_NAMESPACES": "perhaps", "CONVOX_BUILD_IMAGE": "r.example/b:v1-rootless"},
            "CONVOX_BUILD_USER_NAMESPACES is neither yes nor no",
        ),
    ],
)
def test_what_is_wrong_with_the_settings_of_builds_is_told(given: dict[str, str], said: str):
    (problem,) = problems(**given)
    assert problem.startswith(said)


def test_the_log_is_for_people_or_for_machines():
    assert settings().log_format == "text"
    assert settings(LOG_FORMAT="json").log_format == "json"
    assert problems(LOG_FORMAT="xml") == ["LOG_FORMAT is neither text nor json"]


def test_secrets_of_webhooks_are_several_and_none_is_short_or_cut():
    signing = "whsec_" + "QUJD" * 8
    given = {
        "CONVOX_GITHUB_WEBHOOK_SECRETS": "a secret of today, a secret of yesterday,",
        "CONVOX_GITLAB_WEBHOOK_SECRETS": f"{signing}",
    }
    read = read_settings(WebhookSettings, given, None)
    github, gitlab = read.convox_github_webhook_secrets, read.convox_gitlab_webhook_secrets
    assert github is not None
    assert gitlab is not None
    assert [each.get_secret_value() for each in (*github, *gitlab)] == [
        "a secret of today",
        "a secret of yesterday",
        signing,
    ]
    assert read_settings(WebhookSettings, {}, None).convox_github_webhook_secrets is None


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("CONVOX_GITHUB_WEBHOOK_SECRETS", "long enough to stay,hunter2", "holds a secret of fewer than 16"),
        ("CONVOX_GITLAB_WEBHOOK_SECRETS", "whsec_not-base64-at-all", "holds a signing token that is cut"),
    ],
)
def test_a_secret_that_cannot_be_used_is_told_without_being_shown(name, value, problem):
    with pytest.raises(SettingsError) as refused:
        read_settings(WebhookSettings, {name: value}, None)
    (said,) = refused.value.problems
    assert said.startswith(f"{name} {problem}")
    assert not any(secret in said for secret in value.split(","))
