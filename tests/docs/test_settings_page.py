"""docs/settings.md is the list of all settings, with the defaults that they have."""

import pytest

from bot.admin.settings import DatabaseSettings, RackSettings
from bot.router_settings import RouterSettings
from bot.settings import Settings
from tests.docs.pages import codes, page, rows, section

TEXT = page("settings.md")
TABLE = {codes([name])[0]: cells for name, *cells in rows(section(TEXT, "`convox-bot serve`"))}
FIELDS = {name.upper(): field for name, field in Settings.model_fields.items()}


def test_the_table_has_every_setting_of_serve_and_no_other():
    assert set(TABLE) == set(FIELDS)


@pytest.mark.parametrize("name", FIELDS)
def test_a_default_on_the_page_is_the_one_of_the_code(name):
    field, (shown, _) = FIELDS[name], TABLE[name]

    if field.is_required():
        assert shown == "required"
    elif field.default is None:
        assert shown == "–"
    else:
        assert (
            shown == f"`{str(field.default).lower() if isinstance(field.default, bool) else field.default}`"
        )


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("convox-bot token", DatabaseSettings),
        ("convox-bot app-manifest", RackSettings),
        ("convox-bot check", RouterSettings),
    ],
)
def test_commands_beside_a_running_bot_read_what_the_page_says(command, kind):
    (said,) = [cells for cells in rows(section(TEXT, "Beside a running bot")) if cells[0] == f"`{command}`"]

    assert codes(said[1:]) == [name.upper() for name in kind.model_fields]


def test_what_commands_beside_a_running_bot_read_has_the_same_default_there():
    for kind in (DatabaseSettings, RackSettings, RouterSettings):
        for name, field in kind.model_fields.items():
            assert field.default == Settings.model_fields[name].default
