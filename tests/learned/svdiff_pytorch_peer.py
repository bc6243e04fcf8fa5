"""svdiff-pytorch's own layers predict what persona does with the shifts that persona::export_weights writes. Skipped without it.

Its UNet is of a diffusers of 2023, so its layers alone are taken, and put into the UNet of today's.
"""

import argparse
import importlib.util
import os
import pathlib
import subprocess
import sys
import tempfile

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file

parser = argparse.ArgumentParser()
parser.add_argument("--programs", type=pathlib.Path, required=True)
programs = parser.parse_args().programs

package = importlib.util.find_spec("svdiff_pytorch")  # importing it would run the parts that need the old diffusers
if package is None or importlib.util.find_spec("einops") is None:
    print("skipped: no svdiff_pytorch, or no einops")
    sys.exit(77)
spec = importlib.util.spec_from_file_location("svdiff_layers", pathlib.Path(package.submodule_search_locations[0]) / "layers.py")
layers = importlib.util.module_from_spec(spec)
spec.loader.exec_module(layers)

kinds = {torch.nn.Linear: layers.SVDLinear, torch.nn.Conv2d: layers.SVDConv2d,
         torch.nn.LayerNorm: layers.SVDLayerNorm, torch.nn.GroupNorm: layers.SVDGroupNorm}

with tempfile.TemporaryDirectory() as folder, torch.no_grad():
    subprocess.run([programs / "test_learned", "[.peer]"], env={**os.environ, "PERSONA_FOLDER": folder}, check=True,
                   stdout=subprocess.DEVNULL)
    ours = load_file(f"{folder}/outputs.safetensors")
    unet = UNet2DConditionModel.from_pretrained(f"{folder}/unet").eval()
    shifts = load_file(f"{folder}/svdiff_pytorch.safetensors")
    shifted = set()
    for name, module in unet.named_modules():
        if type(module) not in kinds:
            continue
        module.__class__ = kinds[type(module)]
        delta = shifts[f"{name}.delta"]  # a KeyError: their model has a shift that our file lacks
        expected = min(module.weight.shape[0], module.weight[0].numel()) if module.weight.dim() > 1 else 1
        assert delta.shape == (expected,), (name, delta.shape)
        module.delta, module.done_svd, module.scale = torch.nn.Parameter(delta), False, 1.0
        shifted.add(f"{name}.delta")
    assert shifted == set(shifts), shifted ^ set(shifts)
    expected = ours["svdiff_pytorch.prediction"]
    prediction = unet(ours["x"], ours["t"], ours["svdiff_pytorch.states"]).sample
    error = ((prediction - expected).abs().max() / expected.abs().max()).item()
    change = (ours["base.prediction"] - expected).abs().max().item()
    print(f"svdiff_pytorch: relative error {error:.1e}, {len(shifted)} layers")
    assert error < 1e-4 and change > 1e-2, (error, change)
