#!/usr/bin/env python3
"""Writes what peft makes of single layers with LoRA, rsLoRA, DoRA and PiSSA: values and gradients, in double.

  make_adapter_reference.py [--out DIR] [--seed N]

DIR (default: data beside this script) receives adapters/<case>.safetensors: base, bias, x, push; lora_A and lora_B (start: as
peft begins, for PiSSA) and where they were moved to; y of the moved adapter; gradients of sum(y * push); DoRA's magnitude.
Metadata: rank, alpha, scale. Versions: requirements.txt.
"""

import argparse
import pathlib

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file

RANK, ALPHA = 2, 3

CASES = {
    "lora": {},
    "rslora": {"use_rslora": True},
    "dora": {"use_dora": True},
    "pissa": {"init_lora_weights": "pissa"},
}
LAYERS = {
    "linear": (lambda: torch.nn.Linear(7, 5), (3, 4, 7)),
    "conv": (lambda: torch.nn.Conv2d(4, 6, 3, stride=2, padding=1), (2, 4, 7, 6)),
}


def case(name, layer, generator):
    make, shape = LAYERS[layer]
    torch.manual_seed(int(torch.randint(1 << 30, (), generator=generator)))
    model = torch.nn.Sequential(make())
    out = {"base": model[0].weight.detach().double(), "bias": model[0].bias.detach().double()}
    if name != "pissa":  # which peft begins in single precision alone
        model.double()
    config = LoraConfig(r=RANK, lora_alpha=ALPHA, target_modules=["0"], **CASES[name])
    adapted = get_peft_model(model, config, autocast_adapter_dtype=False).base_model.model[0].double()
    a, b = adapted.lora_A["default"].weight, adapted.lora_B["default"].weight
    if name == "pissa":
        out["start_A"], out["start_B"] = a.detach().clone(), b.detach().clone()
    trained = {"lora_A": a, "lora_B": b}
    if name == "dora":
        trained["magnitude"] = adapted.lora_magnitude_vector["default"].weight
        out["start_magnitude"] = trained["magnitude"].detach().clone()
    with torch.no_grad():
        for leaf in trained.values():
            leaf.add_(0.3 * torch.randn(leaf.shape, dtype=leaf.dtype, generator=generator))
    x = torch.randn(shape, dtype=torch.double, generator=generator, requires_grad=True)
    y = adapted(x)
    push = torch.randn(y.shape, dtype=torch.double, generator=generator)
    (y * push).sum().backward()
    out |= {"x": x.detach(), "push": push, "y": y.detach(), "x.grad": x.grad}
    for key, leaf in trained.items():
        out[key], out[key + ".grad"] = leaf.detach(), leaf.grad
    metadata = {"rank": str(RANK), "alpha": str(ALPHA), "scale": repr(adapted.scaling["default"]), "format": "pt"}
    return {key: value.contiguous() for key, value in out.items()}, metadata


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent / "data")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    folder = args.out / "adapters"
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(args.seed)
    for layer in LAYERS:
        for name in CASES:
            if (layer, name) == ("conv", "pissa"):  # peft has it for linear layers alone
                continue
            tensors, metadata = case(name, layer, generator)
            save_file(tensors, folder / f"{layer}_{name}.safetensors", metadata)
            print(folder / f"{layer}_{name}.safetensors")


if __name__ == "__main__":
    main()
