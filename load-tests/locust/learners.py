"""Learners answer by an ability of their own: the same formulas as load-tests/k6/latent.ts, which gave them a past."""

import math
import random

KEY_SKILL = "vault-key"
VAULT_SKILL = "vault"
MASK = 0xFFFFFFFF


def learner_name(index: int) -> str:
    return f"load-learner-{index}"


def hashed(n: int) -> float:
    """0 up to 1, always the same of a whole number."""
    x = ((n ^ 0x9E3779B9) * 0x85EBCA6B) & MASK
    x = ((x ^ (x >> 13)) * 0xC2B2AE35) & MASK
    return (x ^ (x >> 16)) / 2**32


def ability_of(index: int) -> float:
    """Logits, about normal with a standard deviation of 1."""
    return 2 * (hashed(3 * index) + hashed(3 * index + 1) + hashed(3 * index + 2) - 1.5)


def is_correct(ability: float, item: dict, draw: float) -> bool:
    """Rasch's model with a guess of one in ten; nobody ever finds the key."""
    if KEY_SKILL in item["skillIds"]:
        return False
    return draw < 0.1 + 0.9 / (1 + math.exp(item["difficulty"] - ability))


class Learner:
    """One person: what they can do, which practice raises a little, and how they think."""

    def __init__(self, index: int, seconds_per_item: float) -> None:
        self.index = index
        self.learner_id = learner_name(index)
        self.ability = ability_of(index)
        self.seconds_per_item = seconds_per_item

    def answer(self, item: dict) -> bool:
        correct = is_correct(self.ability, item, random.random())
        self.ability += 0.02 if correct else 0.005
        return correct

    def think(self) -> float:
        """Seconds: log-normal, as times to an answer are; harder for some than for others."""
        return min(30.0, random.lognormvariate(math.log(self.seconds_per_item), 0.5))
