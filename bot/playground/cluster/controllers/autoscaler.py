"""The HorizontalPodAutoscaler controller of a cluster without metrics: counts are kept within their bounds, and that is all."""

from collections.abc import Iterable
from typing import Any

from bot.playground.cluster.api import CONTROLLER
from bot.playground.cluster.controllers.controller import Controller, Key, key_of
from bot.playground.cluster.controllers.progress import condition
from bot.playground.cluster.storage import StorageEvent
from bot.playground.cluster.writes import FieldManager

Document = dict[str, Any]
# Its first look at an autoscaler comes after this as well (--horizontal-pod-autoscaler-sync-period).
PERIOD = 15.0
STATUS = FieldManager(manager=CONTROLLER.manager, subresource="status")
SCALE = FieldManager(manager=CONTROLLER.manager, subresource="scale")
NO_METRICS = (
    "the HPA was unable to compute the replica count: failed to get {name} utilization: unable to get metrics for resource"
    " {name}: unable to fetch metrics from resource metrics API: the server could not find the requested resource"
    " (get pods.metrics.k8s.io)"
)


class HorizontalPodAutoscalerController(Controller):
    """Looks at every autoscaler each 15 s."""

    delay = PERIOD

    def all_keys(self) -> Iterable[Key]:
        return [key_of(each) for each in self.api.all("HorizontalPodAutoscaler")]

    def affected_keys(self, change: StorageEvent) -> Iterable[Key]:
        if change.group_resource != "horizontalpodautoscalers.autoscaling" or change.after is None:
            return []
        return [key_of(change.after)]

    async def reconcile(self, key: Key) -> float | None:
        scaler = self.api.find("HorizontalPodAutoscaler", *key)
        if scaler is None:
            return None
        target = scaler["spec"]["scaleTargetRef"]
        scaled = self.api.find(target["kind"], key[0], target["name"])
        if scaled is not None:
            self._keep_within(scaler, scaled)
            self._tell(key, scaler, scaled)
        return PERIOD

    def _keep_within(self, scaler: Document, scaled: Document) -> None:
        now = int(scaled["spec"]["replicas"])
        wanted = min(max(now, int(scaler["spec"].get("minReplicas", 1))), int(scaler["spec"]["maxReplicas"]))
        if not now or wanted == now:
            return
        self.api.edit(
            scaled["kind"],
            *key_of(scaled),
            lambda live: {**live, "spec": {**live["spec"], "replicas": wanted}},
            SCALE,
        )

    def _tell(self, key: Key, scaler: Document, scaled: Document) -> None:
        now, replicas = self.api.clock.now(), int(scaled["spec"]["replicas"])
        names = [
            each["resource"]["name"] for each in scaler["spec"].get("metrics") or [] if each.get("resource")
        ]
        active = ("FailedGetResourceMetric", NO_METRICS.format(name=names[0] if names else "cpu"))
        if not replicas:
            active = ("ScalingDisabled", "scaling is disabled since the replica count of the target is zero")
        able = condition(
            "AbleToScale",
            holds=True,
            reason="SucceededGetScale",
            message="the HPA controller was able to get the target's current scale",
            now=now,
        )
        scaling = condition("ScalingActive", holds=False, reason=active[0], message=active[1], now=now)
        told = [{k: v for k, v in each.items() if k != "lastUpdateTime"} for each in (able, scaling)]
        status = {"currentReplicas": replicas, "desiredReplicas": replicas, "conditions": told}
        old = (scaler.get("status") or {}).get("conditions") or []
        if [_said(each) for each in old] == [_said(each) for each in told]:
            status["conditions"] = old
        self.api.edit("HorizontalPodAutoscaler", *key, lambda live: {**live, "status": status}, STATUS)


def _said(told: Document) -> tuple[str, str, str]:
    return told["type"], told["status"], told["reason"]
