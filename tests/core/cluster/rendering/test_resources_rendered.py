"""Resources as objects: what they are made of, what services see of them, and what never changes with a release."""

from core.records.bundle import Ref
from tests.core.cluster.rendering.samples import bundle, one
from tests.core.cluster.rendering.test_environment import seen

APP = """
resources:
  database: {type: postgres, options: {version: 14, storage: 20, mem: 512}}
  store: {type: redis}
services:
  web: {port: 3000, resources: [database, "store:CACHE_URL"]}
  worker:
"""
HOST = "resource-database.convox-myapp.svc.cluster.local"
URL = f"postgres://app:password-of-database@{HOST}:5432/app?sslmode=disable"


def test_a_service_sees_the_resources_that_it_links_to_and_no_others():
    found = seen(APP)
    assert {key: value for key, value in found.items() if key.startswith(("DATABASE", "CACHE", "STORE"))} == {
        "CACHE_URL": "redis://resource-store.convox-myapp.svc.cluster.local:6379",
        "DATABASE_HOST": HOST,
        "DATABASE_NAME": "app",
        "DATABASE_PASS": "password-of-database",
        "DATABASE_PORT": "5432",
        "DATABASE_URL": URL,
        "DATABASE_USER": "app",
    }
    assert not {key for key in seen(APP, "worker") if key.startswith(("DATABASE", "CACHE"))}


def test_a_variable_that_is_set_wins_one_by_one_and_that_of_the_url_over_all():
    assert seen(APP, environment={"DATABASE_USER": "me"})["DATABASE_USER"] == "me"
    overlaid = seen(
        APP, environment={"DATABASE_URL": "postgres://db.example", "STORE_URL": "redis://r.example"}
    )
    assert (overlaid["DATABASE_URL"], overlaid["CACHE_URL"]) == ("postgres://db.example", "redis://r.example")
    assert "DATABASE_HOST" not in overlaid


def test_a_default_of_the_manifest_does_not_hide_the_resource():
    manifest = APP.replace("  worker:", "  worker: {environment: [DATABASE_URL=none], resources: [database]}")
    assert seen(manifest, "worker")["DATABASE_URL"] == URL


def test_it_is_a_stateful_set_with_a_claim_a_service_and_a_secret():
    refs = [ref for ref in bundle(APP).refs if ref.name.startswith("resource-")]
    assert refs == [
        Ref("Secret", "resource-database"),
        Ref("PersistentVolumeClaim", "resource-database"),
        Ref("Service", "resource-database"),
        Ref("Service", "resource-store"),
        Ref("StatefulSet", "resource-database"),
        Ref("StatefulSet", "resource-store"),
    ]


def test_its_objects_do_not_change_with_a_release():
    def resources(release: str) -> list[object]:
        found = bundle(APP, release=release, description="another", environment={"A": release})
        return [o for o in found.objects if o["metadata"]["name"].startswith("resource-")]

    assert resources("RABCDEFGHIJ") == resources("RKLMNOPQRST")
    assert resources("RABCDEFGHIJ") != [
        o
        for o in bundle(APP.replace("version: 14", "version: 15")).objects
        if o["metadata"]["name"].startswith("resource-")
    ]


def test_the_pod_keeps_its_data_on_the_disk_and_its_password_in_a_secret():
    pod = one(bundle(APP), "StatefulSet", "resource-database")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["volumes"] == [{"name": "data", "persistentVolumeClaim": {"claimName": "resource-database"}}]
    assert container["volumeMounts"] == [{"name": "data", "mountPath": "/var/lib/postgresql/data"}]
    assert container["resources"] == {"requests": {"memory": "512Mi"}, "limits": {"memory": "512Mi"}}
    assert container["env"][-1] == {
        "name": "POSTGRES_PASSWORD",
        "valueFrom": {"secretKeyRef": {"name": "resource-database", "key": "password"}},
    }
    mysql = bundle("resources:\n  d: {type: mysql}\nservices:\n  web:\n")
    (container,) = one(mysql, "StatefulSet")["spec"]["template"]["spec"]["containers"]
    assert container["volumeMounts"][0]["subPath"] == "mysql"


def test_the_verdict_waits_for_it_as_for_a_service():
    service = next(s for s in bundle(APP).services if s.resource == "database")
    assert (service.name, service.workload) == ("resource-database", Ref("StatefulSet", "resource-database"))
    assert (service.settle, service.soak, service.patience) == (10.0, 20.0, 300)
