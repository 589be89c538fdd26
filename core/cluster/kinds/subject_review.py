"""The question who one is to the API server; everybody whom it knows may ask it (Kubernetes 1.28 and later)."""

from core.cluster.kinds.kind import Kind, Resource

SUBJECT_REVIEW = Kind(
    name="SelfSubjectReview",
    resource=Resource("authentication.k8s.io", "v1", "selfsubjectreviews", namespaced=False),
    rights={},
)
