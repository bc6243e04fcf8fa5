#!/usr/bin/env python3
"""Writes what Textual Inversion and Cross Initialization do on the small parity models, the way the published scripts do it.

  make_training_reference.py [--out DIR] [--seed N]

The training loop is that of diffusers' textual_inversion.py: AdamW over the whole token table, the rows that are no placeholder's
written back after every step; Cross Initialization adds its regularizer, squared (the paper) or as the published code has it.
DIR (default: data beside this script) receives methods/cases.json and methods/<model>.safetensors. Reads DIR/models, which
make_reference.py wrote. Versions: requirements.txt.
"""

import argparse
import json
import pathlib

import torch
import torch.nn.functional as F
from diffusers import DDPMScheduler, UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextModel

MODELS = ["sd1_small", "sd2_small"]
STEPS, BATCH, LENGTH, VECTORS = 5, 2, 7, 2
# A name is a list of words, a word a list of token ids.
NAMES = [[[5], [6]], [[7], [8, 9]], [[10, 11], [12]], [[13]], [[5], [6]], [[14], [15], [16]]]


def encode(text, rows, ids):
    """last_hidden_state of ids, where the ids behind the vocabulary stand for `rows`."""
    table = text.get_input_embeddings()
    old = table.weight.data
    table.weight.data = torch.cat([old, rows.to(old)])
    table.num_embeddings = table.weight.shape[0]
    try:
        return text(ids)[0]
    finally:
        table.weight.data = old
        table.num_embeddings = old.shape[0]


def columns(text, by_word):
    """The mean row of each column: over first and last words (the mean of a word's pieces), or over the pieces of the
    whole name in their order."""
    table = text.get_input_embeddings().weight.data
    entries = [[] for _ in range(VECTORS)]
    for name in NAMES:
        parts = name if by_word else [[piece] for word in name for piece in word]
        if by_word and len(parts) > VECTORS:
            parts = [*parts[: VECTORS - 1], parts[-1]]
        for i, part in enumerate(parts[:VECTORS]):
            entries[i].append(table[part].mean(0))
    return torch.stack([torch.stack(entry).mean(0) for entry in entries])


@torch.no_grad()
def cross_init(text, by_word):
    vocab = text.config.vocab_size
    means = columns(text, by_word)
    bos, eos = 0, 1
    ids = torch.tensor([[bos, *range(vocab, vocab + VECTORS), eos] + [eos] * (LENGTH - VECTORS - 2)])
    return encode(text, means, ids)[0, 1 : 1 + VECTORS].clone()


def train(text, unet, scheduler, start, data, regularizer):
    vocab, n = text.config.vocab_size, start.shape[0]
    base = text.get_input_embeddings().weight.data.clone()
    text.resize_token_embeddings(vocab + n)
    table = text.get_input_embeddings().weight
    with torch.no_grad():
        table[vocab:] = start
    text.requires_grad_(False)
    table.requires_grad_(True)
    original = table.detach().clone()
    optimizer = torch.optim.AdamW([table], lr=5e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2)
    rows, losses = [], []
    for step in range(STEPS):
        ids = data["ids"][step].clone()
        states = text(ids)[0]
        noisy = scheduler.add_noise(data["latents"][step], data["noise"][step], data["t"][step])
        prediction = unet(noisy, data["t"][step], states).sample
        latents, noise, t = data["latents"][step], data["noise"][step], data["t"][step]
        target = noise if scheduler.config.prediction_type == "epsilon" else scheduler.get_velocity(latents, noise, t)
        loss = F.mse_loss(prediction, target) + regularizer(table[vocab:], start)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        with torch.no_grad():
            table[:vocab] = original[:vocab]
        rows.append(table[vocab:].detach().clone())
        losses.append(loss.detach())
    text.resize_token_embeddings(vocab)
    with torch.no_grad():
        text.get_input_embeddings().weight.copy_(base)
    return torch.stack(rows), torch.stack(losses)


def main():
    here = pathlib.Path(__file__).parent
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=pathlib.Path, default=here / "data")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    out = args.out / "methods"
    out.mkdir(parents=True, exist_ok=True)
    torch.use_deterministic_algorithms(True)
    for name in MODELS:
        folder = args.out / "models" / name
        text = CLIPTextModel.from_pretrained(folder / "text_encoder").eval()
        unet = UNet2DConditionModel.from_pretrained(folder / "unet").eval().requires_grad_(False)
        scheduler = DDPMScheduler.from_pretrained(folder / "scheduler")
        g = torch.Generator().manual_seed(args.seed)
        vocab, channels = text.config.vocab_size, unet.config.in_channels
        ids = torch.randint(2, vocab, (STEPS, BATCH, LENGTH), generator=g)
        ids[:, :, 0], ids[:, :, -2:] = 0, 1
        data = {
            "latents": torch.randn(STEPS, BATCH, channels, 8, 8, generator=g),
            "noise": torch.randn(STEPS, BATCH, channels, 8, 8, generator=g),
            "t": torch.randint(0, 1000, (STEPS, BATCH), generator=g),
        }
        stored = dict(data)
        stored["cross_init.words"] = cross_init(text, by_word=True)
        stored["cross_init.pieces"] = cross_init(text, by_word=False)

        one = ids.clone()
        one[:, :, 3] = vocab
        stored["ti.ids"] = one.clone()
        start = text.get_input_embeddings().weight.data[5:6].clone()
        stored["ti.rows"], stored["ti.losses"] = train(text, unet, scheduler, start, {**data, "ids": one}, lambda rows, anchor: 0.0)

        two = ids.clone()
        two[:, 0, 2:4] = torch.tensor([vocab, vocab + 1])
        two[:, 1, 3:5] = torch.tensor([vocab, vocab + 1])
        stored["ci.ids"] = two.clone()
        start = stored["cross_init.words"]
        weight = 1e-2  # large enough to be seen in five steps
        stored["ci.rows"], stored["ci.losses"] = train(
            text, unet, scheduler, start, {**data, "ids": two}, lambda rows, anchor: weight * (rows - anchor).square().sum())
        start = stored["cross_init.pieces"]
        stored["ci_published.rows"], stored["ci_published.losses"] = train(
            text, unet, scheduler, start, {**data, "ids": two}, lambda rows, anchor: weight * F.pairwise_distance(rows, anchor, p=2).mean())
        save_file({key: value.contiguous() for key, value in stored.items()}, out / f"{name}.safetensors")
    (out / "cases.json").write_text(json.dumps({"models": MODELS, "names": NAMES, "steps": STEPS, "regularizer": 1e-2}) + "\n")


if __name__ == "__main__":
    main()
