"""Fixed doubling, answers by the winners' rule. See policies/schedules.py."""

from __future__ import annotations

from benchmarks.policies.policy_model import PolicyModel


class Model(PolicyModel):
    policy = "winners"
