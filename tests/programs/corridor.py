"""A small world to act in: a corridor whose end gives the reward, and that has a state."""

import numpy as np


class Corridor:
    """The agent begins in the middle; two steps to the right of it is the goal, left a pit."""

    def __init__(self, length=7):
        self.length = length
        self.place = length // 2

    def reset(self):
        self.place = self.length // 2
        return self.observed()

    def observed(self):
        state = np.zeros(self.length)
        state[self.place] = 1.0
        return state

    def step(self, action):
        self.place += 1 if action == 1 else -1
        done = self.place in (0, self.length - 1)
        reward = 1.0 if self.place == self.length - 1 else -0.05
        return self.observed(), reward, done
