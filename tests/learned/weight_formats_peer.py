"""diffusers and peft load the LoRA and Custom Diffusion files that persona::export_weights writes, and predict the same with them."""

import argparse
import os
import pathlib
import subprocess
import tempfile

import torch
from diffusers import StableDiffusionPipeline
from peft import PeftModel
from peer_states import states
from safetensors.torch import load_file

parser = argparse.ArgumentParser()
parser.add_argument("--programs", type=pathlib.Path, required=True)
programs = parser.parse_args().programs

with tempfile.TemporaryDirectory() as folder, torch.no_grad():
    subprocess.run([programs / "test_learned", "[.peer]"], env={**os.environ, "PERSONA_FOLDER": folder}, check=True,
                   stdout=subprocess.DEVNULL)
    ours = load_file(f"{folder}/outputs.safetensors")
    for name in ("base", "diffusers_lora", "kohya_lora", "peft_lora", "peft_ranks", "peft_dora", "kernels", "custom_diffusion", "custom_diffusion_crossattn"):
        pipe = StableDiffusionPipeline.from_pretrained(folder)
        if name.startswith("custom_diffusion"):
            # load_attn_procs reads the file and sets nothing (0.42.1), and asks for entries of self-attention that no safetensors holds.
            ours_only = pipe.unet._process_custom_diffusion(load_file(f"{folder}/{name}.safetensors"))
            pipe.unet.set_attn_processor({**pipe.unet.attn_processors, **ours_only})
        elif name.startswith("peft"):
            pipe.unet = PeftModel.from_pretrained(pipe.unet, f"{folder}/{name}").eval()
        elif name != "base":
            pipe.load_lora_weights(folder, weight_name=f"{name}.safetensors")
        theirs = {"states": states(pipe.text_encoder, ours["embeddings"])}
        theirs["prediction"] = pipe.unet(ours["x"], ours["t"], theirs["states"]).sample
        for part, value in theirs.items():
            expected = ours[f"{name}.{part}"]
            error = ((value - expected).abs().max() / expected.abs().max()).item()
            print(f"{name}, {part}: relative error {error:.1e}")
            assert error < 1e-4, (name, part)
        if name != "base":
            change = (ours[f"{name}.prediction"] - ours["base.prediction"]).abs().max().item()
            assert change > 1e-2, (name, "changes nothing", change)
