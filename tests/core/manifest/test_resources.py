"""Databases and caches of a manifest: their types, options, links, and what is not made."""

import pytest

from core.errors import Invalid
from core.manifest.convox_yml import Manifest, parse_manifest
from core.manifest.resources import AppResource, ResourceLink
from core.records.environment import Environment

WEB = "services:\n  web: {image: nginx, resources: [database]}\n"


def read(text: str, **variables: str) -> Manifest:
    return parse_manifest(text, Environment(tuple(variables.items())))


def refused(text: str, **variables: str) -> str:
    with pytest.raises(Invalid) as raised:
        read(text, **variables)
    return str(raised.value)


def only(text: str, **variables: str) -> AppResource:
    (resource,) = read(text, **variables).resources
    return resource


@pytest.mark.parametrize(
    ("type_", "image", "storage"),
    [
        ("postgres", "postgres:10.5", 10),
        ("postgis", "postgis/postgis:10-3.2", 10),
        ("mysql", "mysql:5.7.23", 10),
        ("mariadb", "mariadb:10.6.0", 10),
        ("redis", "redis:4.0.10", None),
        ("memcached", "memcached:1.4.34", None),
    ],
)
def test_each_type_has_convoxs_default_version_and_a_disk_where_it_keeps_data(type_, image, storage):
    resource = only(f"resources:\n  database: {{type: {type_}}}\n{WEB}")
    assert (resource.image, resource.storage) == (image, storage)


def test_options_say_version_size_and_what_it_may_use():
    options = "{version: 14, storage: 50, cpu: 500, mem: 1024, class: db.t4g.small}"
    manifest = read(f"resources:\n  database: {{type: postgres, plan: small, options: {options}}}\n{WEB}")
    (resource,) = manifest.resources
    assert (resource.image, resource.storage, resource.cpu, resource.memory) == ("postgres:14", 50, 500, 1024)
    assert manifest.notes == (
        "plan of resource database is without effect: it is of an older Convox, and Convox 3 ignores it too",
        "class of options of resource database is without effect: it is an option of a database that a cloud makes",
        "resource database is postgres on a disk of 50 GiB: no promotion and no rollback removes or changes what is stored there",
    )


def test_an_image_of_ones_own_a_disk_for_redis_and_a_variable_that_is_not_set():
    text = f"resources:\n  database: {{type: redis, image: example/redis:7, options: {{storage: 5, version: ${{V}}}}}}\n{WEB}"
    assert (only(text).image, only(text).storage) == ("example/redis:7", 5)
    assert (
        only(f"resources:\n  database: {{type: redis, options: {{storage: ${{S}}}}}}\n{WEB}").storage is None
    )
    notes = read(f"resources:\n  database: {{type: memcached, options: {{storage: 5}}}}\n{WEB}").notes
    assert "storage of resource database is without effect: memcached keeps nothing on a disk" in notes
    assert "is memcached without a disk" in notes[-1]


@pytest.mark.parametrize("type_", ["rds-postgres", "elasticache-redis", "efs"])
def test_what_only_a_cloud_makes_is_refused_with_the_variable_to_set(type_):
    text = f"resources:\n  database: {{type: {type_}}}\n{WEB}"
    assert refused(text) == (
        f'convox.yml line 2: type "{type_}" of resource database is made in a cloud account, which convox-bot has none of:'
        " make it there and set DATABASE_URL"
    )
    assert only(text, DATABASE_URL="postgres://db.example/x").overlaid


def test_a_variable_that_is_set_wins_and_nothing_is_made():
    manifest = read(
        f"resources:\n  database: {{type: postgres}}\n{WEB}", DATABASE_URL="postgres://db.example"
    )
    assert (manifest.made, manifest.notes) == ((), ("resource database is not made: DATABASE_URL is set",))
    assert read(f"resources:\n  database: {{type: postgres}}\n{WEB}", DATABASE_URL="  ").made


@pytest.mark.parametrize(
    ("resources", "sentence"),
    [
        ("database: {type: volume}", 'type "volume" of resource database is none of mariadb, memcached'),
        ("database: {}", 'resource "database" has blank type'),
        ("database: {type: postgres, options: {verson: 1}}", 'unknown key "verson"'),
        ("database: {type: postgres, options: {version: 'a b'}}", "is no image reference (it has spaces)"),
        ("database: {type: postgres, options: {storage: big}}", "storage of resource database must be"),
        ("Data: {type: postgres}", "resource name Data invalid, must contain only lowercase"),
        ("data-: {type: postgres}", "must not end with a dash and have at most 43 characters"),
        ("${NAME}: {type: postgres}", "a resource's name cannot come out of the environment"),
        ("other: {type: redis}", "service web references a resource that does not exist: database"),
    ],
)
def test_what_cannot_be_is_told(resources, sentence):
    assert sentence in refused(f"resources:\n  {resources}\n{WEB}", NAME="Secret Name")


def test_a_value_of_the_environment_is_in_no_sentence():
    said = refused(f"resources:\n  database: {{type: postgres, image: '${{I}}'}}\n{WEB}", I="hunter2 hunter2")
    assert "hunter2" not in said
    assert "hunter2" not in refused(f"resources:\n  database: {{type: '${{T}}'}}\n{WEB}", T="hunter2")


def test_one_name_for_a_service_and_the_objects_of_a_resource_is_refused():
    text = "resources:\n  web: {type: redis}\nservices:\n  resource-web: {image: nginx}\n"
    assert "service resource-web and resource web would have one name" in refused(text)


def test_too_many_are_refused_before_they_are_read():
    many = "".join(f"  r{n}: {{type: redis}}\n" for n in range(51))
    assert "51 resources; 50 are the limit" in refused(f"resources:\n{many}{WEB}")


def test_links_may_name_the_variable():
    manifest = read(
        "resources:\n  a: {type: redis}\n  b: {type: postgres}\n"
        "services:\n  web: {image: nginx, resources: [a, 'b:MAIN_URL', a]}\n"
    )
    assert manifest.services[0].links == (ResourceLink("a"), ResourceLink("b", "MAIN_URL"))
    assert [each.name for each in manifest.made] == ["a", "b"]
    wrong = "resources:\n  a: {type: redis}\nservices:\n  web: {image: nginx, resources: ['a:1-X']}\n"
    assert "takes name or name:VARIABLE" in refused(wrong)
