"""What happens to one batch: forward, backward, step, and what is measured on the way."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from minigrad.errors import ArgumentError
from minigrad.nn import Module
from minigrad.nn.utils import clip_grad_norm_, clip_grad_value_
from minigrad.tensor import Tensor
from minigrad.training.mean import RunningMean
from minigrad.training.metrics import as_metric
from minigrad.training.nested import batch_size, moved
from minigrad.training.replayed import Replayed

__all__ = ["BatchWork"]


class BatchWork:
    """The part of a Trainer that works on one batch; its methods are there to be overridden."""

    def __init__(
        self,
        model: Any,
        optimizer: Any,
        loss: Callable[..., Any] | None,
        metrics: Iterable[Any],
        scheduler: Any,
        schedule_every: str,
        device: Any,
        clip_norm: float | None,
        clip_value: float | None,
        accumulate: int,
        compile: bool,
    ) -> None:
        _check_parts(model, optimizer, loss)
        if schedule_every not in ("epoch", "step"):
            raise ArgumentError(
                f"Trainer(): schedule_every must be 'epoch' or 'step', got {schedule_every!r}"
            )
        if accumulate < 1:
            raise ArgumentError(f"Trainer(): accumulate must be at least 1, got {accumulate}")
        for name, limit in (("clip_norm", clip_norm), ("clip_value", clip_value)):
            if limit is not None and limit <= 0:
                raise ArgumentError(f"Trainer(): {name} must be positive, got {limit}")
        self.model = model
        self.optimizer = optimizer
        self.loss = loss
        self.metrics = [as_metric(metric) for metric in several("metrics", metrics)]
        names = [metric.name for metric in self.metrics]
        if len({"loss", *names}) <= len(names):
            raise ArgumentError(
                f"Trainer(): the metrics need names that differ, and none may be 'loss'; got "
                f"{', '.join(names)}; give one another by its argument name"
            )
        self.scheduler = scheduler
        self.schedule_every = schedule_every
        self.device = device
        self.clip_norm = clip_norm
        self.clip_value = clip_value
        self.accumulate = accumulate
        self.compile = compile
        self.step = 0
        self._mean_loss = RunningMean()
        self._waiting = 0  # batches whose gradients wait for the step
        self._replayed: Replayed | None = None
        if device is not None:
            model.to(device)

    def unpack(self, batch: Any) -> tuple[Any, Any, Any]:
        """The inputs, the target and the weight of a batch, None for those that it lacks."""
        if isinstance(batch, (tuple, list)):
            if not 1 <= len(batch) <= 3:
                raise ArgumentError(
                    "a batch must be inputs, (inputs, target) or (inputs, target, weight); got "
                    f"{len(batch)} parts"
                )
            return (*batch, None, None)[:3]
        return batch, None, None

    def forward(self, inputs: Any) -> Any:
        """The model's output."""
        return self.model(inputs)

    def compute_loss(self, output: Any, target: Any, weight: Any) -> Any:
        """The mean loss of a batch, a tensor with one element.

        With a weight, the mean over the samples of weight times loss; so a sample of weight 0 is
        not there and one of weight 2 counts as two, in the sum though not in the number of samples.
        A loss with the reduction "sum" or "batchmean" is reduced in its own way.
        """
        if self.loss is None:
            raise ArgumentError("this Trainer has no loss; write Trainer(model, optimizer, loss)")
        if weight is None:
            return self.loss(output, target)
        each = self._loss_of_each(output, target)
        if each.ndim == 0 or len(each) != weight.numel():
            raise ArgumentError(
                f"the loss gives {tuple(each.shape)} with reduction='none', so that "
                f"{weight.numel()} sample weights do not fit; it must give one value for each "
                "sample"
            )
        reduction = getattr(self.loss, "reduction", "mean")
        if each.ndim > 1:
            each = each.flatten(1)
            each = each.mean(1) if reduction == "mean" else each.sum(1)
        weight = weight.reshape(-1)
        return each.mul(weight).sum() if reduction == "sum" else each.mul(weight).mean()

    def update_metrics(self, output: Any, target: Any, weight: Any) -> None:
        """Tell the metrics of a batch."""
        for metric in self.metrics:
            metric.update(output, target, weight)

    def mean_loss(self) -> float:
        """The mean loss since the epoch began."""
        return self._mean_loss.compute()

    def logs(self) -> dict[str, float]:
        """The means since the epoch began: the loss, then the metrics."""
        found = {"loss": self.mean_loss()}
        for metric in self.metrics:
            found[metric.name] = metric.compute()
        return found

    def reset(self) -> None:
        """Forget the loss and the metrics of the epoch."""
        self._mean_loss.reset()
        for metric in self.metrics:
            metric.reset()

    @contextlib.contextmanager
    def apart(self) -> Iterator[None]:
        """Measure something else: what the epoch has measured is put aside and taken back."""
        kept = self._mean_loss, self.metrics
        self._mean_loss, self.metrics = RunningMean(), copy.deepcopy(self.metrics)
        try:
            yield
        finally:
            self._mean_loss, self.metrics = kept

    def train_batch(self, batch: Any) -> None:
        """Train on one batch: forward, backward, and the step once `accumulate` batches are in."""
        inputs, target, weight = self.unpack(self._placed(batch))
        first, last = self._waiting == 0, self._waiting + 1 == self.accumulate
        count = self._waiting + 1 if last else 0
        if last:
            self.before_step()
        learn = self._replays().train if self.compile else self.learn
        found = learn(inputs, target, weight, first, count)
        if last:
            self.after_step()
        else:
            self._waiting += 1
        self.measure(found, inputs, target, weight)

    def learn(self, inputs: Any, target: Any, weight: Any, first: bool, count: int) -> Any:
        """Add the gradients of a batch to those that wait, unless it is the first; step if asked.

        The step is for the gradients of `count` batches, none for 0. Gives what `assess` gives.
        """
        output = self.forward(inputs)
        loss = self.compute_loss(output, target, weight)
        if first:
            self.optimizer.zero_grad()
        loss.backward()
        if count:
            self.change_parameters(count)
        return output, loss, self.aside()

    def take_step(self) -> None:
        """Step with the gradients that wait."""
        self.before_step()
        self.change_parameters(self._waiting)
        self.after_step()

    def before_step(self) -> None:
        """What Python does before the parameters change."""

    def change_parameters(self, count: int) -> None:
        """Average the gradients of `count` batches, clip them, as asked, and step."""
        if count > 1:
            for parameter in self._parameters():
                if parameter.grad is not None:
                    parameter.grad.div_(count)
        if self.clip_value is not None:
            clip_grad_value_(self._parameters(), self.clip_value)
        if self.clip_norm is not None:
            clip_grad_norm_(self._parameters(), self.clip_norm)
        self.optimizer.step()

    def after_step(self) -> None:
        """Count the step, and let a schedule of steps go on."""
        self._waiting = 0
        self.step += 1
        if self.scheduler is not None and self.schedule_every == "step":
            self.scheduler.step()

    def test_batch(self, batch: Any) -> None:
        """Measure the loss and the metrics of one batch."""
        inputs, target, weight = self.unpack(self._placed(batch))
        assess = self._replays().test if self.compile else self.assess
        self.measure(assess(inputs, target, weight), inputs, target, weight)

    def assess(self, inputs: Any, target: Any, weight: Any) -> Any:
        """The output of a batch, its loss, and what else was computed beside it."""
        output = self.forward(inputs)
        return output, self.compute_loss(output, target, weight), self.aside()

    def aside(self) -> Any:
        """Tensors that `compute_loss` has put aside, to be measured."""
        return ()

    def measure(self, found: Any, inputs: Any, target: Any, weight: Any) -> None:
        """Count the loss of a batch and tell the metrics; `found` is what `assess` gave."""
        output, loss, _ = found
        self._mean_loss.add(loss, batch_size(inputs))
        self.update_metrics(output, target, weight)

    def predict_batch(self, batch: Any) -> Any:
        """The model's output for one batch; a target in it is not looked at."""
        inputs, _, _ = self.unpack(self._placed(batch))
        return self.forward(inputs)

    # Compiled steps.

    def settings(self) -> tuple[Any, ...]:
        """All that the steps read of the Trainer itself: another value is recorded anew."""
        return self.model, self.loss, self.optimizer, self.clip_value, self.clip_norm

    def explain(self) -> str:
        """Print, and return, what became of the compiled steps: see `minigrad.compile`."""
        return self._replays().explain()

    def _replays(self) -> Replayed:
        if self._replayed is None:
            self._replayed = Replayed(self)
        return self._replayed

    def _placed(self, batch: Any) -> Any:
        return batch if self.device is None else moved(batch, self.device)

    def _parameters(self) -> list[Tensor]:
        return [p for group in self.optimizer.param_groups for p in group["params"]]

    def _loss_of_each(self, output: Any, target: Any) -> Any:
        """The loss without its reduction."""
        assert self.loss is not None
        if isinstance(self.loss, Module):
            whole = copy.copy(self.loss)
            whole.reduction = "none"
            return whole(output, target)
        try:
            return self.loss(output, target, reduction="none")
        except TypeError as error:
            if "reduction" not in str(error):
                raise
            raise ArgumentError(
                "the batches have sample weights, and the loss is a function that has no argument "
                "'reduction'; let it give one value for each sample with reduction='none', or "
                "override compute_loss(output, target, weight)"
            ) from None


def several(name: str, given: Any) -> list[Any]:
    """The callbacks or metrics that were given; one alone must stand in a list too."""
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise TypeError(f"Trainer: {name} must be a list, got {given!r}; write {name}=[…]")
    return list(given)


def _check_parts(model: Any, optimizer: Any, loss: Any) -> None:
    for name, given in (("model", model), ("loss", loss), ("optimizer", optimizer)):
        if isinstance(given, type):
            inside = "model.parameters()" if name == "optimizer" else ""
            raise TypeError(
                f"Trainer(): {name} is the class {given.__name__}; make an instance: "
                f"{given.__name__}({inside})"
            )
    if isinstance(optimizer, str):
        raise TypeError(
            f"Trainer(): optimizer must be one of minigrad.optim, got {optimizer!r}; write for "
            "example optim.Adam(model.parameters())"
        )
    if loss is not None and not callable(loss):
        raise TypeError(
            f"Trainer(): loss must be a function of output and target, got {loss!r}; write for "
            "example nn.MSELoss()"
        )
