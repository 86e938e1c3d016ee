"""Data sets, samplers, collation and the loader: torch's results, and no thread left behind."""

import gc
import itertools
import threading
import time
from collections import Counter, namedtuple

import numpy as np
import pytest
import torch
import torch.utils.data as torch_data
from hypothesis import given
from hypothesis import strategies as st

import minigrad
from minigrad.utils import data
from tests.golden_files import check_golden
from tests.strict import strict_device

Point = namedtuple("Point", "x y")


def plain(value):
    """Nested tensors of either library as nested lists, with the dtype of each."""
    if isinstance(value, (minigrad.Tensor, torch.Tensor)):
        return (str(value.dtype).removeprefix("torch."), value.tolist())
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return (type(value).__name__, [plain(entry) for entry in value])
    return value


def loader_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("minigrad-loader")]


@pytest.fixture(autouse=True)
def no_thread_is_left():
    yield
    assert loader_threads() == []


class Squares(data.Dataset):
    """The squares of 0, 1, ...; `slow` indices take a moment, `bad` ones fail."""

    def __init__(self, length, slow=(), bad=()):
        self.length, self.slow, self.bad = length, slow, bad
        self.threads = Counter()

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        self.threads[threading.current_thread().name] += 1
        if index in self.slow:
            time.sleep(0.02)
        if index in self.bad:
            raise LookupError(f"no square of {index}")
        return index * index


# Data sets.


def test_a_tensor_dataset_gives_rows():
    x, y = minigrad.arange(6).reshape(3, 2), minigrad.tensor([0.5, 1.5, 2.5])
    rows = data.TensorDataset(x, y)
    assert len(rows) == 3
    assert rows.tensors == (x, y)
    assert plain(rows[1]) == ("tuple", [("int64", [2, 3]), ("float32", 1.5)])
    assert plain(rows[-1]) == plain(rows[2])
    assert plain(rows[1:])[1][0] == ("int64", [[2, 3], [4, 5]])


def test_rows_that_need_gradients_stay_in_the_graph():
    x = minigrad.ones(4, 2, requires_grad=True)
    ((batch,),) = data.DataLoader(data.TensorDataset(x), batch_size=4)
    batch.sum().backward()
    assert x.grad.tolist() == [[1, 1]] * 4


def test_joined_data_sets_answer_like_one():
    joined = Squares(3) + Squares(2) + data.TensorDataset(minigrad.arange(2))
    assert len(joined) == 7
    assert [joined[i] for i in range(5)] == [0, 1, 4, 0, 1]
    assert joined[-1][0].item() == 1
    assert joined[-7] == 0
    for index in (7, -8):
        with pytest.raises(IndexError, match=f"{index} is out of range"):
            joined[index]


def test_a_subset_gives_its_samples():
    part = data.Subset(Squares(10), [7, 2, 5])
    assert (len(part), part[0], part[-1]) == (3, 49, 25)
    rows = data.Subset(data.TensorDataset(minigrad.arange(10)), [7, 2, 5])
    assert plain(rows[[0, 2]]) == ("tuple", [("int64", [7, 5])])
    inner = data.Subset(data.Subset(Squares(10), [9, 8, 7, 6]), [3, 0])
    assert list(data.DataLoader(inner, batch_size=None)) == [36, 81]


@pytest.mark.filterwarnings("ignore:random_split", "ignore:Length of split")
@given(st.integers(0, 40), st.lists(st.integers(0, 16), max_size=4).map(sorted))
def test_random_split_by_fractions_is_torchs(total, cuts):
    # Sixteenths are exact, so that they add up to 1 to the last bit.
    fractions = [(end - start) / 16 for start, end in zip([0, *cuts], [*cuts, 16])]
    ours = data.random_split(range(total), fractions)
    theirs = torch_data.random_split(range(total), fractions)
    assert [len(part) for part in ours] == [len(part) for part in theirs]
    assert sorted(i for part in ours for i in part.indices) == list(range(total))


def test_random_split_follows_its_generator():
    def split(seed):
        generator = minigrad.Generator().manual_seed(seed)
        return [part.indices for part in data.random_split(range(20), [15, 5], generator)]

    assert split(1) == split(1) != split(2)
    assert [len(part) for part in split(1)] == [15, 5]


def test_an_empty_part_of_a_split_warns():
    with pytest.warns(UserWarning, match="part 1 is empty"):
        data.random_split(range(3), [0.9, 0.1])


# Samplers.


def test_orders_without_chance():
    assert list(data.SequentialSampler("abc")) == [0, 1, 2]
    assert list(data.BatchSampler(range(5), 2, drop_last=False)) == [[0, 1], [2, 3], [4]]
    assert list(data.BatchSampler(range(5), 2, drop_last=True)) == [[0, 1], [2, 3]]
    for length, last, batches in [(4, False, 2), (4, True, 2), (5, False, 3), (5, True, 2)]:
        assert len(data.BatchSampler(range(length), 2, last)) == batches


def test_a_random_order_is_an_order_and_differs_each_time():
    sampler = data.RandomSampler(range(50), generator=minigrad.Generator().manual_seed(0))
    first, second = list(sampler), list(sampler)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second
    assert len(sampler) == sampler.num_samples == 50


def test_more_samples_than_there_are_go_round():
    sampler = data.RandomSampler(range(4), num_samples=10)
    drawn = list(sampler)
    assert len(drawn) == len(sampler) == 10
    assert sorted(drawn[:4]) == sorted(drawn[4:8]) == [0, 1, 2, 3]
    assert len(list(data.RandomSampler(range(4), num_samples=2))) == 2


def test_draws_with_replacement_are_even():
    minigrad.manual_seed(0)
    drawn = Counter(data.RandomSampler(range(4), replacement=True, num_samples=4000))
    assert sum(drawn.values()) == 4000
    # 1,000 expected of each, standard deviation 27.
    assert all(865 < drawn[i] < 1135 for i in range(4))


def test_weights_decide():
    minigrad.manual_seed(0)
    drawn = Counter(data.WeightedRandomSampler([0.0, 3.0, 1.0], 4000))
    assert drawn[0] == 0
    assert abs(drawn[1] - 3000) < 137  # five standard deviations
    once = data.WeightedRandomSampler([1.0, 0.0, 2.0, 3.0], 3, replacement=False)
    assert sorted(once) == [0, 2, 3]


def test_a_random_order_of_a_part():
    sampler = data.SubsetRandomSampler([10, 20, 30])
    assert sorted(sampler) == [10, 20, 30]
    assert len(sampler) == 3


# Collation.


@pytest.mark.parametrize(
    "batch",
    [
        [1, 2],
        [1.5, 2.5],
        [True, False],
        ["a", "b"],
        [(1, 2.0), (3, 4.0)],
        [[1, "x"], [2, "y"]],
        [{"a": 1, "b": [1.0]}, {"a": 2, "b": [2.0]}],
        [Point(1, 2.0), Point(3, 4.0)],
        [np.float32(1), np.float32(2)],
        [np.arange(3), np.arange(3)],
        [np.bool_(True), np.bool_(False)],
        [np.zeros((2, 0), np.float32)] * 2,
    ],
    ids=repr,
)
def test_collation_is_torchs(batch):
    assert plain(data.default_collate(batch)) == plain(torch_data.default_collate(batch))
    for sample in batch:
        assert plain(data.default_convert(sample)) == plain(torch_data.default_convert(sample))


def test_tensors_are_stacked():
    assert plain(data.default_collate([minigrad.ones(2), minigrad.zeros(2)])) == (
        "float32",
        [[1, 1], [0, 0]],
    )


# The loader.


@pytest.mark.parametrize("num_workers", [0, 1, 3])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"batch_size": 4},
        {"batch_size": 4, "drop_last": True},
        {"batch_size": None},
        {"batch_size": 3, "sampler": [5, 1, 1, 9]},
        {"batch_sampler": [[1, 2], [3], [4, 4, 4]]},
        {"batch_size": 4, "collate_fn": sum},
        {"batch_size": 100},
    ],
    ids=repr,
)
def test_the_loader_gives_what_torchs_gives(options, num_workers):
    ours = data.DataLoader(Squares(10), num_workers=num_workers, **options)
    theirs = torch_data.DataLoader(Squares(10), **options)
    assert len(ours) == len(theirs)
    expected = [plain(batch) for batch in theirs]
    assert [plain(batch) for batch in ours] == expected
    assert [plain(batch) for batch in ours] == expected  # a second pass


@pytest.mark.parametrize("num_workers", [1, 2, 5])
def test_workers_keep_the_order(num_workers):
    squares = Squares(30, slow={0, 1, 2, 7, 15})
    loader = data.DataLoader(squares, batch_size=2, num_workers=num_workers)
    assert [value for batch in loader for value in batch.tolist()] == [i * i for i in range(30)]
    assert len(squares.threads) == num_workers


def test_workers_do_not_change_a_random_order():
    def order(num_workers):
        generator = minigrad.Generator().manual_seed(5)
        loader = data.DataLoader(
            Squares(20), 3, shuffle=True, generator=generator, num_workers=num_workers
        )
        return [[batch.tolist() for batch in loader] for _ in range(2)]

    assert order(0) == order(2)
    first, second = order(0)
    assert first != second
    assert sorted(itertools.chain(*first)) == [i * i for i in range(20)]


def test_workers_run_side_by_side():
    class Meeting(data.Dataset):
        barrier = threading.Barrier(3)

        def __len__(self):
            return 3

        def __getitem__(self, index):
            self.barrier.wait(timeout=600)  # only passes when three threads are here
            return index

    loader = data.DataLoader(Meeting(), num_workers=3)
    assert [batch.tolist() for batch in loader] == [[0], [1], [2]]


def test_workers_go_only_so_far_ahead():
    squares = Squares(100)
    loader = data.DataLoader(squares, num_workers=2, prefetch_factor=3)
    batches = iter(loader)
    next(batches)
    deadline = time.monotonic() + 0.3
    while time.monotonic() < deadline:
        time.sleep(0.01)
    assert sum(squares.threads.values()) <= 2 * 3 + 1
    batches.close()


def test_leaving_the_loop_ends_the_threads():
    for batch in data.DataLoader(Squares(50, slow=range(50)), num_workers=3):
        assert batch.tolist() == [0]
        assert len(loader_threads()) == 3
        break
    assert loader_threads() == []


def test_an_iterator_that_is_forgotten_ends_its_threads():
    batches = iter(data.DataLoader(Squares(50), num_workers=2))
    next(batches)
    assert len(loader_threads()) == 2
    del batches
    gc.collect()
    assert loader_threads() == []


def test_an_error_in_the_loop_ends_the_threads():
    def fail_in_the_loop():
        for batch in data.DataLoader(Squares(50), num_workers=2):
            raise ArithmeticError(batch)

    with pytest.raises(ArithmeticError):
        fail_in_the_loop()
    gc.collect()
    assert loader_threads() == []


@pytest.mark.parametrize("num_workers", [0, 2])
def test_an_error_of_a_sample_arrives_with_its_index(num_workers):
    loader = data.DataLoader(Squares(10, bad={5}), batch_size=2, num_workers=num_workers)
    seen = []
    with pytest.raises(LookupError, match="no square of 5") as caught:
        seen.extend(batch.tolist() for batch in loader)
    assert seen == [[0, 1], [4, 9]]
    assert caught.value.__notes__ == ["DataLoader: this happened while fetching sample 5"]


def test_an_error_of_a_whole_batch_names_its_indices():
    loader = data.DataLoader(
        data.TensorDataset(minigrad.arange(3)), batch_size=2, sampler=[0, 1, 2, 3]
    )
    with pytest.raises(IndexError) as caught:
        list(loader)
    assert caught.value.__notes__ == ["DataLoader: this happened while fetching the samples 2, 3"]


def test_workers_know_who_they_are():
    class Who(data.Dataset):
        def __len__(self):
            return 6

        def __getitem__(self, index):
            info = data.get_worker_info()
            return (index, info.id, info.num_workers, info.seed, info.dataset is self)

    started = []

    def pass_of(loader):
        return [tuple(row) for row in loader]

    loader = data.DataLoader(
        Who(), batch_size=None, num_workers=2, worker_init_fn=started.append,
        generator=minigrad.Generator().manual_seed(3), collate_fn=lambda row: row,
    )  # fmt: skip
    first, second = pass_of(loader), pass_of(loader)
    assert sorted(started) == [0, 0, 1, 1]
    assert [row[:3] for row in first] == [(i, i % 2, 2) for i in range(6)]
    assert all(row[4] for row in first)
    seeds = {row[3] for row in first + second}
    assert len(seeds) == 4  # one for each worker and pass
    assert data.get_worker_info() is None


def test_an_error_at_the_start_of_a_worker_arrives():
    def fail(worker):
        raise RuntimeError(f"worker {worker} does not start")

    with pytest.raises(RuntimeError, match="worker 0 does not start"):
        list(data.DataLoader(Squares(4), num_workers=1, worker_init_fn=fail))


def test_a_worker_that_hangs_is_reported():
    gate = threading.Event()

    class Hanging(Squares):
        def __getitem__(self, index):
            gate.wait(timeout=600)
            return index

    try:
        with pytest.raises(RuntimeError, match=r"worker 0 gave no batch within timeout=0\.05 s"):
            list(data.DataLoader(Hanging(2), num_workers=1, timeout=0.05))
    finally:
        gate.set()
        for thread in loader_threads():
            thread.join(timeout=600)


class Stream(data.IterableDataset):
    """0, 1, ... shared out among the workers."""

    def __init__(self, length):
        self.length = length

    def __iter__(self):
        info = data.get_worker_info()
        first, step = (0, 1) if info is None else (info.id, info.num_workers)
        return iter(range(first, self.length, step))

    def __len__(self):
        return self.length


@pytest.mark.parametrize("options", [{}, {"batch_size": 3}, {"batch_size": 3, "drop_last": True},
                                     {"batch_size": None}], ids=repr)  # fmt: skip
def test_a_stream_gives_what_torchs_gives(options):
    class Theirs(torch_data.IterableDataset):
        def __iter__(self):
            return iter(range(10))

        def __len__(self):
            return 10

    ours, theirs = (
        data.DataLoader(Stream(10), **options),
        torch_data.DataLoader(Theirs(), **options),
    )
    assert len(ours) == len(theirs)
    assert [plain(batch) for batch in ours] == [plain(batch) for batch in theirs]


def test_workers_share_a_stream():
    loader = data.DataLoader(Stream(11), batch_size=2, num_workers=3)
    batches = [batch.tolist() for batch in loader]
    assert batches == [[0, 3], [1, 4], [2, 5], [6, 9], [7, 10], [8]]


def test_a_data_set_may_fetch_many_at_once():
    asked = []

    class Many(Squares):
        def __getitems__(self, indices):
            asked.append(indices)
            return [i * i for i in indices]

    assert [batch.tolist() for batch in data.DataLoader(Many(5), 3)] == [[0, 1, 4], [9, 16]]
    assert asked == [[0, 1, 2], [3, 4]]


def test_an_overridden_sample_is_not_passed_over():
    class Doubled(data.TensorDataset):
        def __getitem__(self, index):
            return [2 * row for row in super().__getitem__(index)]

    loader = data.DataLoader(Doubled(minigrad.arange(4)), batch_size=4)
    assert [batch[0].tolist() for batch in loader] == [[0, 2, 4, 6]]
    part = data.Subset(Doubled(minigrad.arange(4)), [3, 0])
    assert [batch[0].tolist() for batch in data.DataLoader(part, 2)] == [[6, 0]]


def test_batches_of_rows_equal_collated_rows():
    rows = data.TensorDataset(minigrad.randn(7, 2, 3), minigrad.arange(7))
    part = data.Subset(rows, [6, 2, 2, 0])
    for source in (rows, part):
        fast = [plain(batch) for batch in data.DataLoader(source, 3)]
        slow = [
            plain(batch)
            for batch in data.DataLoader(source, 3, collate_fn=lambda b: data.default_collate(b))
        ]
        assert fast == slow


def refusal(action):
    with pytest.raises((TypeError, ValueError, NotImplementedError)) as caught:
        action()
    return str(caught.value)


def test_messages():
    ones = minigrad.ones
    rows = data.TensorDataset(ones(3))
    loader = data.DataLoader
    actions = [
        lambda: data.TensorDataset(),
        lambda: data.TensorDataset(ones(3), ones(4, 2)),
        lambda: data.TensorDataset(np.ones(3)),
        lambda: data.TensorDataset(ones(3), minigrad.tensor(1.0)),
        lambda: data.Dataset()[0],
        lambda: iter(data.IterableDataset()),
        lambda: data.ConcatDataset([]),
        lambda: data.ConcatDataset([Stream(3)]),
        lambda: data.ConcatDataset([data.Dataset()]),
        lambda: data.random_split(range(10), [5, 4]),
        lambda: data.random_split(range(10), [0.5, 0.4]),
        lambda: data.random_split(range(10), [11, -1]),
        lambda: data.RandomSampler(range(3), num_samples=0),
        lambda: data.RandomSampler(range(3), replacement=1),
        lambda: list(data.RandomSampler([], num_samples=2)),
        lambda: data.WeightedRandomSampler([[1.0]], 1),
        lambda: data.WeightedRandomSampler([1.0, -1.0], 1),
        lambda: data.WeightedRandomSampler([1.0, 0.0], 2, replacement=False),
        lambda: data.BatchSampler(range(3), 0, False),
        lambda: data.default_collate([{1}, {2}]),
        lambda: data.default_collate([ones(2), ones(3)]),
        lambda: data.default_collate([[1, 2], [1]]),
        lambda: loader(rows, batch_size=0),
        lambda: loader(rows, batch_size=2.0),
        lambda: loader(rows, num_workers=-1),
        lambda: loader(rows, shuffle=True, sampler=[0]),
        lambda: loader(rows, batch_size=2, batch_sampler=[[0]]),
        lambda: loader(rows, batch_size=None, drop_last=True),
        lambda: loader(rows, prefetch_factor=2),
        lambda: loader(rows, persistent_workers=True),
        lambda: loader(rows, timeout=-1),
        lambda: loader(rows, num_workers=1, multiprocessing_context="spawn"),
        lambda: loader(Stream(3), shuffle=True),
    ]
    check_golden("data/utils_data", "\n".join(refusal(action) for action in actions))


def test_batches_of_rows_on_another_device():
    with strict_device() as place:
        rows = data.TensorDataset(minigrad.arange(10).to(place), minigrad.randn(10, 2).to(place))
        minigrad.manual_seed(0)
        batches = list(data.DataLoader(rows, batch_size=4, shuffle=True))
        assert [len(first) for first, _ in batches] == [4, 4, 2]
        assert all(part.device == place for batch in batches for part in batch)
        assert sorted(itertools.chain(*(first.tolist() for first, _ in batches))) == list(range(10))
        for sampler in ([3, 10], [-11]):
            with pytest.raises(IndexError, match="not all among the 10 rows"):
                list(data.DataLoader(rows, batch_size=2, sampler=sampler))
