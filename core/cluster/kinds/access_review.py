"""The question whether one may do something; everybody whom the API server knows may ask it."""

from core.cluster.kinds.kind import Kind, Resource

ACCESS_REVIEW = Kind(
    name="SelfSubjectAccessReview",
    resource=Resource("authorization.k8s.io", "v1", "selfsubjectaccessreviews", namespaced=False),
    rights={},
)
