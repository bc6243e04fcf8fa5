"""diffusers loads the embedded model and draws the picture that persona draws from the same noise."""

import argparse
import os
import pathlib
import subprocess
import tempfile

import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline
from safetensors import safe_open

parser = argparse.ArgumentParser()
parser.add_argument("--programs", type=pathlib.Path, required=True)
programs = parser.parse_args().programs

with tempfile.TemporaryDirectory() as folder, torch.no_grad():
    subprocess.run([programs / "test_toyland", "[.peer]"], env={**os.environ, "PERSONA_FOLDER": folder}, check=True,
                   stdout=subprocess.DEVNULL)
    with safe_open(f"{folder}/picture.safetensors", "pt") as file:
        ours = {name: file.get_tensor(name) for name in file.keys()}
        prompt, model = file.metadata()["prompt"], file.metadata()["model"]
    pipe = StableDiffusionPipeline.from_pretrained(model, torch_dtype=torch.float32)
    pipe.scheduler = DDIMScheduler.from_config(pipe.scheduler.config)
    pipe.set_progress_bar_config(disable=True)
    latents = pipe(prompt, num_inference_steps=10, guidance_scale=3.5, latents=ours["noise"], output_type="latent").images
    error = ((latents - ours["latents"]).abs().max() / latents.abs().max()).item()
    print(f"latents after 10 steps: relative error {error:.1e}")
    assert error < 1e-3
    image = pipe.vae.decode(latents / pipe.vae.config.scaling_factor).sample
    error = (image - ours["image"]).abs().max().item()
    print(f"picture: largest difference {error:.1e} of 2")
    assert error < 5e-3
