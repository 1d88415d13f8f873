"""Run by tests as one of several processes: gradients of every loss and penalty, and whole small trainings.

Usage: train_together.py FOLDER, with the environment that torchrun sets.
"""

import sys
from dataclasses import fields
from pathlib import Path

import torch
from toy_models import (
    DIGITS,
    FLOAT32,
    PLANE,
    ClosedForm,
    Duel,
    Mean,
    Stairs,
    build,
    digit_examples,
    plan,
    plane_examples,
)

from tvir.contracts.model import GenerativeModel
from tvir.contracts.run import Precision, RunFolder
from tvir.models.catalogue import catalogue, find_model
from tvir.objectives.adversarial import AdversarialLoss
from tvir.objectives.likelihoods import Likelihood
from tvir.objectives.logit_penalties import LogitRegulariser
from tvir.objectives.penalties import Regulariser
from tvir.training.feed import Feed
from tvir.training.moves import prepare_move
from tvir.training.position import Position
from tvir.training.precision import Arithmetic
from tvir.training.processes import Processes
from tvir.training.trainer import Trainer
from tvir.training.work import StageWork

SMALL = {"width": 2, "latent": 4, "batch_size": 8}


def cases():
    """Settings of a real model for every loss with every penalty, and every likelihood."""
    for loss in AdversarialLoss.alternatives():
        for regulariser in Regulariser.alternatives():
            yield f"gan {loss} {regulariser}", "gan", {"loss": loss, "regulariser": regulariser}
    for regulariser in Regulariser.alternatives():
        yield f"packed {regulariser}", "gan", {"pack": 2, "regulariser": regulariser}
    for regulariser in LogitRegulariser.alternatives():
        yield f"logits {regulariser}", "gan", {"logit_regulariser": regulariser, "regulariser": "r1"}
        yield f"packed logits {regulariser}", "gan", {"pack": 2, "logit_regulariser": regulariser}
    for likelihood in Likelihood.alternatives():
        yield f"vae {likelihood}", "vae", {"likelihood": likelihood}


def real_model(name, **settings) -> GenerativeModel:
    kind = find_model(name)
    known = {setting.name for setting in fields(kind.Config)}
    config = kind.Config.from_json({name: value for name, value in SMALL.items() if name in known} | settings)
    torch.manual_seed(0)
    return kind(DIGITS, config)


def gradients(name, settings, processes):
    """Those of every phase at two steps, averaged over the processes, in one row each."""
    model = real_model(name, **settings)
    arithmetic = Arithmetic(Precision(), torch.device("cpu"))
    feed = Feed(digit_examples(), 0, SMALL["batch_size"], arithmetic, processes)
    stage = model.stages()[0]
    work = StageWork(model, stage, 100.0)
    found = {}
    for step in range(2):
        given = feed.draw(Position(stage_step=step, samples=8 * step), stage.name, 0.25)
        for phase in stage.phases:
            torch.manual_seed(1)
            move = prepare_move(phase, work.parameters(phase), given.batch(phase), arithmetic.autocast, processes)
            found[f"{phase.name} {step}"] = torch.cat([gradient.flatten() for gradient in move.gradients])
            found[f"{phase.name} {step} losses"] = torch.stack(list(move.losses.values()))
    return found


def trainings():
    """Whole trainings: a name, a fresh model and its examples."""
    digits = digit_examples()
    yield "mean", build(Mean, PLANE, spread=0.3), plane_examples()
    yield "duel", build(Duel, DIGITS, dropout=0.0), digits
    yield "closed", build(ClosedForm, PLANE), plane_examples()
    yield "stairs", build(Stairs, PLANE), plane_examples()
    yield "resumed", build(Mean, PLANE), plane_examples()
    yield "diverged", build(Mean, PLANE, bad_from=4, bad_until=10**6), plane_examples()
    yield "measured", real_model("gan"), digits
    # A relativistic critic's last bias has no gradient but rounding, which Adam would make as large as any other.
    settings = {"prior": "aggregated", "prior_components": 2, "loss": "non-saturating"}
    yield "unbalanced", real_model("unbalanced-gan", **settings), digits
    by_class = {"normalisation": "conditional-batch", "logit_regulariser": "lecam", "loss": "non-saturating"}
    yield "conditional", real_model("conditional-gan", **by_class), digits
    for name in ("vae-gan", "wae-gan", "soft-intro-vae"):
        yield name, real_model(name), digits
    yield "bigan", real_model("bigan", loss="non-saturating"), digits
    compression = {"adversarial_start": 0.3, "prior_width": 4, "prior_layers": 1, "prior_heads": 2}
    yield "kl-autoencoder", real_model("kl-autoencoder", **compression), digits
    yield "vqgan", real_model("vqgan", codes=8, **compression), digits
    yield "diffusion", real_model("diffusion"), digits
    yield "latent-diffusion", real_model("latent-diffusion", adversarial_start=0.3, prior_width=4), digits
    yield "flow-matching", real_model("flow-matching", coupling="optimal-transport"), digits


def train_all(path):
    for name, model, examples in trainings():
        folder = RunFolder(path / name)
        try:
            Trainer(model, examples, folder).run()
        except Exception as error:
            if name != "diverged":
                raise
            print(error)


def plan_all(path):
    for name, model, _ in trainings():
        # Where nothing was asked for, both processes take part in the measurement.
        precision = None if name in ("mean", "measured") else FLOAT32
        plan(path / name, spec=model.spec, budget="20steps", precision=precision)


def main(path):
    torch.set_num_threads(1)
    # A process group that exists while modules are imported may outlive them.
    catalogue()
    real_model("diffusion")
    with Processes.joined() as processes:
        found = {name: gradients(model, settings, processes) for name, model, settings in cases()}
        torch.manual_seed(processes.rank)
        mixed = [torch.rand(3), torch.rand(2, 2).double(), torch.rand(1)]
        found["average"] = dict(zip("abc", processes.average(mixed), strict=True))
        found["agreed"] = {"largest": torch.tensor(processes.largest(processes.rank, -processes.rank))}
        if processes.main:
            processes.tell("слово")
        else:
            assert processes.hear() == "слово"
        train_all(path)
        if processes.main:
            from safetensors.torch import save_file

            flat = {f"{case}/{name}": value for case, values in found.items() for name, value in values.items()}
            save_file(flat, path / "found.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
