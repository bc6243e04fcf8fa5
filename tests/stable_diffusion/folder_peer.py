"""diffusers and transformers load what persona::save_folder writes, and compute the same with it."""

import argparse
import os
import pathlib
import subprocess
import tempfile

import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import load_file

parser = argparse.ArgumentParser()
parser.add_argument("--programs", type=pathlib.Path, required=True)
programs = parser.parse_args().programs

with tempfile.TemporaryDirectory() as folder, torch.no_grad():
    subprocess.run([programs / "test_stable_diffusion", "[.peer]"], env={**os.environ, "PERSONA_FOLDER": folder},
                   check=True, stdout=subprocess.DEVNULL)
    ours = load_file(f"{folder}/outputs.safetensors")
    pipe = StableDiffusionPipeline.from_pretrained(folder)
    _, info = UNet2DConditionModel.from_pretrained(folder, subfolder="unet", output_loading_info=True)
    assert not any(info.values()), info

    ids = pipe.tokenizer("a cat", padding="max_length", return_tensors="pt").input_ids
    assert torch.equal(ids, ours["input_ids"]), (ids, ours["input_ids"])
    theirs = {
        "states": pipe.text_encoder(ids).last_hidden_state,
        "prediction": pipe.unet(ours["x"], ours["t"], ours["states"]).sample,
        "decoded": pipe.vae.decode(ours["x"]).sample,
        "mean": pipe.vae.encode(ours["images"]).latent_dist.mean,
        "alphas_cumprod": pipe.scheduler.alphas_cumprod,
    }
    for name, value in theirs.items():
        error = ((value - ours[name]).abs().max() / value.abs().max()).item()
        print(f"{name}: relative error {error:.1e}")
        assert error < 1e-5, name
    assert pipe.scheduler.config.steps_offset == 1 and not pipe.scheduler.config.set_alpha_to_one
    image = pipe("a cat", num_inference_steps=2, output_type="np").images[0]
    assert image.shape == (16, 16, 3)
