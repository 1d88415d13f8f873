"""Run by tests in a process of its own: trains, and dies without warning at a given step.

Usage: train_and_die.py FOLDER duel|gan|vqgan [STEP [write]]; with "write" it dies inside the writing of a checkpoint.
"""

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
from toy_models import Duel, build, digit_examples

from tvir.contracts.data import Examples, ImageSpec
from tvir.contracts.run import RunFolder
from tvir.training import checkpoint
from tvir.training.trainer import Trainer

CHECKPOINT_SECONDS = 0.25

OWN = {
    "gan": {"critic_steps": 2, "logit_regulariser": "lecam"},
    # The codebook is learned in the first stage only.
    "vqgan": {"codes": 8, "prior_width": 4, "prior_layers": 1, "prior_heads": 2, "first_stage_share": 0.9},
}


def scanned_digits():
    from sklearn.datasets import load_digits

    spec = ImageSpec(channels=1, height=8, width=8, classes=tuple("0123456789"))
    images, labels = load_digits(return_X_y=True)
    rows = np.minimum(images * 16, 255).astype(np.uint8).reshape(-1, 8, 8, 1)
    return Examples(spec, rows, labels.astype(np.int64))


def model_and_examples(kind):
    if kind == "duel":
        examples = digit_examples()
        return build(Duel, examples.spec), examples
    from tvir.models.catalogue import find_model

    examples = scanned_digits()
    settings = {"width": 2, "latent": 4, "batch_size": 16, "regulariser": "r1:every=4"} | OWN[kind]
    return build(find_model(kind), examples.spec, **find_model(kind).Config.from_json(settings).__dict__), examples


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def die_in_step(model, step):
    stages = model.stages

    def deadly_stages():
        found = stages()
        phase = found[0].phases[-1]
        loss = phase.loss

        def deadly_loss(batch):
            if batch.step == step - 30:
                # Long enough for a checkpoint to fall due, however fast the machine is.
                time.sleep(2 * CHECKPOINT_SECONDS)
            return die() if batch.step == step else loss(batch)

        object.__setattr__(phase, "loss", deadly_loss)
        return found

    model.stages = deadly_stages


def die_in_writing(step):
    write = checkpoint.write_tensors

    def deadly_write(path, tensors):
        write(path, tensors)
        if path.name == checkpoint.AVERAGED and int(path.parent.name.split(".")[1]) >= step:
            die()

    checkpoint.write_tensors = deadly_write


if __name__ == "__main__":
    folder, kind, *rest = sys.argv[1:]
    model, examples = model_and_examples(kind)
    if rest[1:] == ["write"]:
        die_in_writing(int(rest[0]))
    elif rest:
        die_in_step(model, int(rest[0]))
    Trainer(model, examples, RunFolder(Path(folder)), checkpoint_seconds=CHECKPOINT_SECONDS).run()
