"""The question what one may do in a namespace, in one answer; everybody whom the API server knows may ask it."""

from core.cluster.kinds.kind import Kind, Resource

RULES_REVIEW = Kind(
    name="SelfSubjectRulesReview",
    resource=Resource("authorization.k8s.io", "v1", "selfsubjectrulesreviews", namespaced=False),
    rights={},
)
