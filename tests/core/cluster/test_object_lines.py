"""What a release would be, a line for each object."""

from bot.admin.check import check_manifest

TEXT = """\
resources:
  database:
    type: postgres
services:
  web:
    build: .
    resources: [database]
  collector:
    build: .
    agent: true
"""


def test_an_agent_and_a_database_say_where_they_run_and_what_they_keep():
    found = check_manifest(TEXT, {})

    assert found.problems == ()
    kinds = ("PersistentVolumeClaim", "StatefulSet", "DaemonSet", "Deployment")
    assert [line for line in found.objects if line.startswith(kinds)] == [
        "PersistentVolumeClaim resource-database (10Gi)",
        "StatefulSet resource-database (postgres:10.5)",
        "DaemonSet collector (one a node, 250m 512Mi)",
        "Deployment web (1 × 250m 512Mi)",
    ]
