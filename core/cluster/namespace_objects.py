"""What an administrator applies so that the bot may work in an app's namespace: the bot itself cannot give it to itself."""

from core.errors import Invalid

MAX_NAMESPACE_CHARS = 63  # a DNS label

_MANIFEST = """\
# Lets convox-bot roll out the app {app}. Apply it as an administrator: kubectl apply -f -
# The bot reads every Secret in this namespace: put nothing here that it must not see.
apiVersion: v1
kind: Namespace
metadata:
  name: {namespace}
  labels:
    app.kubernetes.io/managed-by: convox-bot
    convox.com/app: "{app}"
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: convox-bot
  namespace: {namespace}
  labels:
    app.kubernetes.io/managed-by: convox-bot
    convox.com/app: "{app}"
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: convox-bot-app
subjects:
  - kind: ServiceAccount
    name: {service_account}
    namespace: {bot_namespace}
"""


def namespace_objects(
    rack: str, app: str, *, service_account: str = "convox-bot", bot_namespace: str = "convox-system"
) -> str:
    """Return the Namespace of an app and the RoleBinding of the bot in it, as YAML.

    Args:
        rack: the rack's name, the first part of the namespace.
        app: the app's name.
        service_account: the bot's ServiceAccount.
        bot_namespace: the namespace in which the bot itself runs.

    Raises:
        Invalid: the namespace would be the bot's own, whose Secrets no app may share, or its name would be too long.
    """
    namespace = f"{rack}-{app}"
    if namespace == bot_namespace:
        raise Invalid(f"{app} cannot be an app here: {namespace} is the namespace of the bot itself")
    if len(namespace) > MAX_NAMESPACE_CHARS:
        raise Invalid(f"{namespace} is too long for a namespace: {MAX_NAMESPACE_CHARS} characters at most")
    return _MANIFEST.format(
        app=app, namespace=namespace, service_account=service_account, bot_namespace=bot_namespace
    )
