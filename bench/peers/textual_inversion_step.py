"""One training step of diffusers' textual_inversion.py, on request: reads a line, takes a step, answers with its seconds.

The step is the script's: pixels through the VAE's posterior at every step, noise, text encoder, UNet, MSE, AdamW over the
whole token table, and the rows that are not the placeholder's written back.
"""
import argparse
import sys
import time

import diffusers
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel


def load(args):
    if args.sd21:  # the sizes of Stable Diffusion 2.1, random weights
        unet = UNet2DConditionModel(
            sample_size=64, cross_attention_dim=1024, attention_head_dim=[5, 10, 20, 20], use_linear_projection=True)
        vae = AutoencoderKL(
            block_out_channels=(128, 256, 512, 512), layers_per_block=2, latent_channels=4,
            down_block_types=["DownEncoderBlock2D"] * 4, up_block_types=["UpDecoderBlock2D"] * 4)
        text = CLIPTextModel(CLIPTextConfig(
            hidden_size=1024, intermediate_size=4096, num_hidden_layers=23, num_attention_heads=16, hidden_act="gelu",
            max_position_embeddings=77, vocab_size=49408))
        scheduler = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
        return unet, vae, text, scheduler, 512
    part = lambda cls, name: cls.from_pretrained(args.model, subfolder=name)
    unet, vae = part(UNet2DConditionModel, "unet"), part(AutoencoderKL, "vae")
    text, scheduler = part(CLIPTextModel, "text_encoder"), part(DDPMScheduler, "scheduler")
    return unet, vae, text, scheduler, unet.config.sample_size * 2 ** (len(vae.config.block_out_channels) - 1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model")
    parser.add_argument("--sd21", action="store_true")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--dtype", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    unet, vae, text, scheduler, size = load(args)
    dtype = torch.float32 if args.dtype == "fp32" else torch.bfloat16
    unet.requires_grad_(False).to(dtype)
    vae.requires_grad_(False).to(dtype)
    text.requires_grad_(False)
    table = text.get_input_embeddings().weight
    table.requires_grad_(True)
    text.train()
    original = table.detach().clone()
    optimizer = torch.optim.AdamW([table], lr=5e-3, weight_decay=1e-2)
    length = text.config.max_position_embeddings
    placeholder = table.shape[0] - 1

    def step():
        pixels = torch.rand(args.batch, 3, size, size) * 2 - 1
        ids = torch.randint(0, table.shape[0] - 1, (args.batch, length))
        ids[:, 4] = placeholder
        latents = vae.encode(pixels.to(dtype)).latent_dist.sample().detach() * vae.config.scaling_factor
        noise = torch.randn_like(latents)
        t = torch.randint(0, scheduler.config.num_train_timesteps, (args.batch,))
        noisy = scheduler.add_noise(latents, noise, t)
        states = text(ids)[0].to(dtype)  # in fp32, as the script keeps it; autocast on the CPU fails at its layer norms
        prediction = unet(noisy, t, states).sample
        target = noise if scheduler.config.prediction_type == "epsilon" else scheduler.get_velocity(latents, noise, t)
        loss = F.mse_loss(prediction.float(), target.float())
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        with torch.no_grad():
            frozen = torch.ones((table.shape[0],), dtype=torch.bool)
            frozen[placeholder] = False
            table[frozen] = original[frozen]
        return loss.detach().item()

    print(f"ready: diffusers {diffusers.__version__}, torch {torch.__version__}", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        step()
        print(time.perf_counter() - start, flush=True)


if __name__ == "__main__":
    main()
