"""`import torch` that gives minigrad, and what is said of names that are not there."""

import importlib
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

import minigrad
from minigrad.absent.table import PATTERNS, reason_for
from minigrad.compat import missing_names, torch_alias
from tests.golden_files import check_golden


def run(source, *options, tmp_path, arguments=()):
    """The output of a program in a process of its own."""
    script = tmp_path / "program.py"
    script.write_text(textwrap.dedent(source))
    command = [sys.executable, *options, str(script), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


AS_TORCH = ("-m", "minigrad", "run-as-torch")

PROGRAM = """
    import sys
    import torch
    import torch.nn as nn
    import torch.nn.functional as F
    import torch.optim as optim
    import torch.backends.cudnn as cudnn
    from torch import nn as same_nn, Tensor
    from torch.autograd import Variable, grad
    from torch.autograd.gradcheck import gradcheck
    from torch.cuda.amp import GradScaler
    from torch.nn.modules.module import Module
    from torch.nn.modules.conv import Conv2d
    from torch.nn.parameter import Parameter
    from torch.optim.lr_scheduler import StepLR
    from torch.utils.data import DataLoader, TensorDataset
    from torch.utils.data.dataloader import DataLoader as SameLoader

    cudnn.benchmark = True
    assert torch.backends.cudnn.benchmark
    assert nn is same_nn and nn is torch.nn and F is torch.nn.functional
    assert Module is nn.Module and Conv2d is nn.Conv2d and Parameter is nn.Parameter
    assert DataLoader is SameLoader
    assert torch.__version__.startswith("2.") and torch.version.cuda is None
    x = torch.ones(2, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(torch.sin, x)
    assert gradcheck is torch.autograd.gradcheck
    assert isinstance(Variable(torch.ones(2)), Tensor) and isinstance(torch.ones(1), Variable)
    assert torch.LongTensor([1, 2]).dtype == torch.int64
    assert isinstance(torch.FloatTensor(2, 3), torch.FloatTensor)
    nn.Mine = nn.Linear
    model = nn.Mine(2, 1)
    schedule = StepLR(optim.SGD(model.parameters(), lr=0.1), 1)
    for x, in DataLoader(TensorDataset(torch.ones(4, 2)), batch_size=2):
        F.mse_loss(model(x), torch.zeros(2, 1)).backward()
    import minigrad
    assert not hasattr(minigrad.nn, "Mine")
    try:
        import torch.sparse
    except ModuleNotFoundError as error:
        print(error)
    try:
        torch.nn.DataParallel
    except AttributeError as error:
        print(error)
    print(sys.argv[1:], __name__, torch.nn.Linear)
"""


def test_a_program_runs_with_minigrad_in_the_place_of_torch(tmp_path):
    done = run(PROGRAM, *AS_TORCH, tmp_path=tmp_path, arguments=["--lr", "1"])
    assert done.returncode == 0, done.stderr
    check_golden("data/run_as_torch", done.stdout + done.stderr, folder=tmp_path)


def test_whole_programs_run_under_the_alias(tmp_path):
    source = """
        import math
        import torch
        from tests.programs import char_gpt, save_and_load, siamese

        assert type(torch).__name__ == "Face"
        for program in (char_gpt, save_and_load, siamese):
            losses = program.main(torch)
            assert all(map(math.isfinite, losses))
        x = torch.ones(2).type(torch.LongTensor)
        assert isinstance(x, torch.LongTensor) and x.tolist() == [1, 1]
    """
    done = run(source, *AS_TORCH, tmp_path=tmp_path)
    assert done.returncode == 0, done.stderr


def test_names_that_are_missing_are_listed_at_once(tmp_path):
    source = """
        import torch as th
        import torch.nn as nn
        from torch import optim
        from torch.optim import SparseAdam
        from torch.utils.tensorboard import SummaryWriter
        import torch.distributed as dist

        class Net(nn.Module):
            def forward(self, x):
                if False:
                    return nn.DataParallel(x)
                return th.relu(x.to_sparse()) + th.sparse.mm(x, x)

        F = nn.functional
        F.scaled_mm(F.relu)
        th.nothing_that_is_known
        th.backends.cudnn.new_switch = 1
        optim.Adam
    """
    done = run(source, *AS_TORCH, "--check", tmp_path=tmp_path)
    assert done.returncode == 1, done.stderr
    check_golden("data/run_as_torch_check", done.stdout, folder=tmp_path)
    whole = run("import torch\ntorch.ones(2)", *AS_TORCH, "--check", tmp_path=tmp_path)
    assert whole.returncode == 0
    assert "every name" in whole.stdout


def test_a_program_that_fails_shows_its_own_error(tmp_path):
    done = run("import torch\nopen('nowhere')\n", *AS_TORCH, tmp_path=tmp_path)
    assert done.returncode == 1
    assert 'program.py", line 2' in done.stderr
    broken = run("import (", *AS_TORCH, tmp_path=tmp_path)
    assert broken.returncode == 2
    assert "it is no Python program" in broken.stderr


def test_the_alias_refuses_where_torch_is_imported():
    assert sys.modules["torch"] is torch
    with pytest.raises(RuntimeError, match="already imported"):
        torch_alias()
    assert sys.modules["torch"] is torch


def test_the_alias_ends_with_its_block(tmp_path):
    source = """
        import sys
        from minigrad.compat import torch_alias
        with torch_alias():
            with torch_alias():
                import torch.nn
            import torch.optim
            assert torch.nn.Linear.__module__ == "minigrad.nn.linear"
        assert not [name for name in sys.modules if name.split(".")[0] == "torch"]
        assert not [finder for finder in sys.meta_path if type(finder).__name__ == "_Finder"]
        torch_alias()
        import torch
        torch_alias().remove()
        assert "torch" not in sys.modules
    """
    done = run(source, tmp_path=tmp_path)
    assert done.returncode == 0, done.stderr


def message(owner, name):
    with pytest.raises(AttributeError) as caught:
        getattr(owner, name)
    return str(caught.value)


def test_missing_names_are_explained():
    lines = [
        message(minigrad, "sparse_coo_tensor"),
        message(minigrad, "bfloat16"),
        message(minigrad, "sparse"),
        message(minigrad, "no_such_name"),
        message(minigrad.nn, "SyncBatchNorm"),
        message(minigrad.nn.functional, "scaled_mm"),
        message(minigrad.optim, "SparseAdam"),
        message(minigrad.cuda, "memory_allocated"),
        message(minigrad.nn, "Container"),
        message(minigrad.utils.data, "DistributedSampler"),
    ]
    check_golden("data/absent_names", "\n".join(lines))


def test_names_that_are_there_ask_no_table():
    source = (
        "import sys, minigrad; minigrad.nn.Linear(2, 2); minigrad.optim.SGD; minigrad.linalg.inv;"
        "assert not hasattr(minigrad, '__wrapped__');"
        "assert 'minigrad.absent.table' not in sys.modules; hasattr(minigrad, 'sparse');"
        "assert 'minigrad.absent.table' in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr


def test_every_reason_says_which_of_the_three_it_is():
    for pattern, reason in PATTERNS.items():
        assert reason.startswith(("planned", "pointless here: ", "use instead")), pattern
    assert reason_for("Tensor.to_sparse_csr").startswith("pointless")
    assert reason_for("not_of_torch") is None


def test_every_name_of_torch_is_there_or_explained(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parent.parent / "docs")
    states = importlib.import_module("make_coverage").surface()
    names = [(f"{space}.{name}", how) for space in states for name, how in states[space].items()]
    assert [name for name, how in names if how is None] == []
    assert sum(how == "there" for _, how in names) > 1300


def test_a_syntax_error_is_the_program_s(tmp_path):
    (tmp_path / "broken.py").write_text("def (")
    with pytest.raises(SyntaxError):
        missing_names(tmp_path / "broken.py")


# The scaler of losses, and switches of other libraries.


def test_gradients_are_scaled_as_torch_scales_them():
    def told(library):
        weight = library.ones(2, requires_grad=True)
        optimizer = library.optim.SGD([weight], lr=0.5)
        scaler = library.amp.GradScaler("cpu", init_scale=4.0, growth_interval=2)
        seen = []
        for factor in (1.0, float("inf"), 0.5, 0.25, 1.0):
            optimizer.zero_grad()
            scaler.scale((weight * factor).sum()).backward()
            if factor != 0.5:
                scaler.unscale_(optimizer)
            scaler.step(optimizer)
            scaler.update()
            seen.append((weight.tolist(), scaler.get_scale(), scaler.state_dict()))
        return seen

    assert told(minigrad) == told(torch)


def test_scaling_twice_is_refused_and_can_be_turned_off():
    weight = minigrad.ones(1, requires_grad=True)
    optimizer = minigrad.optim.SGD([weight], lr=1.0)
    scaler = minigrad.amp.GradScaler()
    scaler.scale(weight.sum()).backward()
    scaler.unscale_(optimizer)
    with pytest.raises(RuntimeError, match="already"):
        scaler.unscale_(optimizer)
    off = minigrad.amp.GradScaler(enabled=False)
    assert off.scale(weight) is weight
    off.step(optimizer)
    off.update()
    assert weight.tolist() == [0.0]
    with minigrad.amp.autocast("cpu", enabled=False):
        assert (weight + 1).dtype == minigrad.float32
    with pytest.raises(ValueError, match=r"autocast\(\)"):
        minigrad.amp.autocast("cuda")
