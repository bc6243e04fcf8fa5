"""LyCORIS reads the differences that persona::export_weights writes for kohya's tools, and predicts the same with them. Skipped without it."""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import torch
from diffusers import UNet2DConditionModel
from peer_states import states
from safetensors.torch import load_file
from transformers import CLIPTextModel

parser = argparse.ArgumentParser()
parser.add_argument("--programs", type=pathlib.Path, required=True)
programs = parser.parse_args().programs

try:
    from lycoris.modules import get_module, make_module
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)


def applied(tensors, part, prefix):
    """What lycoris.kohya.create_network_from_weights makes of a file, which itself (4.1.3) refuses today's UNet as a double of names."""
    made = []
    for name, module in part.named_modules():
        key = f"{prefix}_{name}".replace(".", "_")
        if any(tensor.startswith(key + ".") for tensor in tensors):
            made.append(make_module(*get_module(tensors, key), key, module))
            made[-1].multiplier = 1.0
            made[-1].apply_to()
    return made


with tempfile.TemporaryDirectory() as folder, torch.no_grad():
    subprocess.run([programs / "test_learned", "[.peer]"], env={**os.environ, "PERSONA_FOLDER": folder}, check=True,
                   stdout=subprocess.DEVNULL)
    ours = load_file(f"{folder}/outputs.safetensors")
    for name in ("kohya_diff", "kohya_lora", "kohya_dora"):
        unet = UNet2DConditionModel.from_pretrained(f"{folder}/unet").eval()
        text = CLIPTextModel.from_pretrained(f"{folder}/text_encoder").eval()
        prefix = "lora_te" if hasattr(text, "text_model") else "lora_te_text_model"  # transformers 5 lost the level; the files' names did not
        tensors = load_file(f"{folder}/{name}.safetensors")
        made = applied(tensors, unet, "lora_unet") + applied(tensors, text, prefix)
        taken = {module.lora_name for module in made}
        assert taken == {key.split(".")[0] for key in tensors}, (name, {key.split(".")[0] for key in tensors} ^ taken)
        theirs = {"states": states(text, ours["embeddings"])}
        theirs["prediction"] = unet(ours["x"], ours["t"], theirs["states"]).sample
        for kind, value in theirs.items():
            expected = ours[f"{name}.{kind}"]
            error = ((value - expected).abs().max() / expected.abs().max()).item()
            print(f"{name}, {kind}: relative error {error:.1e}, {len(taken)} layers")
            assert error < 1e-4, (name, kind, error)
        change = (ours["base.prediction"] - ours[f"{name}.prediction"]).abs().max().item()
        assert change > 1e-2, (name, "changes nothing", change)
