"""InvokeAI's own readers take the embeddings that persona exports, and predict the same with its LoRA files. Skipped without invokeai."""

import argparse
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
program = parser.parse_args().programs / "test_learned"

try:
    from invokeai.backend.patches.layer_patcher import LayerPatcher
    from invokeai.backend.patches.lora_conversions.sd_lora_conversion_utils import lora_model_from_sd_state_dict
    from invokeai.backend.textual_inversion import TextualInversionModelRaw
except ImportError as error:
    print(f"skipped: {error}")
    sys.exit(77)


def embeddings(folder):
    subprocess.run([program, "[export]"], check=True, env={**os.environ, "PERSONA_EXPORT_TO": str(folder)}, stdout=subprocess.DEVNULL)
    for vectors in (1, 3):
        expected = load_file(folder / f"{vectors}.safetensors")["rows.<ada>"]
        files = [folder / str(vectors) / "ada.safetensors"]
        if vectors == 1:
            files.append(folder / "1" / "vector" / "learned_embeds.safetensors")
        for file in files:
            assert torch.equal(TextualInversionModelRaw.from_checkpoint(file).embedding, expected), file
            print(f"{file.name}, {vectors} vectors: read, equal")


def lora(folder):
    subprocess.run([program, "[.peer]"], check=True, env={**os.environ, "PERSONA_FOLDER": str(folder)}, stdout=subprocess.DEVNULL)
    ours = load_file(folder / "outputs.safetensors")
    base = UNet2DConditionModel.from_pretrained(folder / "unet")
    states, expected = ours["kohya_lora.states"], ours["kohya_lora.prediction"]
    patch = lora_model_from_sd_state_dict(load_file(folder / "kohya_lora.safetensors"))
    with LayerPatcher.apply_smart_model_patches(base, [(patch, 1.0)], "lora_unet_", torch.float32, force_direct_patching=True):
        prediction = base(ours["x"], ours["t"], states).sample
    error = ((prediction - expected).abs().max() / expected.abs().max()).item()
    change = (base(ours["x"], ours["t"], states).sample - expected).abs().max().item()
    print(f"kohya_lora: relative error {error:.1e}, {len(patch.layers)} layers")
    assert error < 1e-4 and change > 1e-2, (error, change)


with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other, torch.no_grad():
    embeddings(pathlib.Path(one))
    lora(pathlib.Path(other))
