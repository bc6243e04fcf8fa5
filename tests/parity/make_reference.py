#!/usr/bin/env python3
"""Writes what the parity tests compare with: four small random Stable Diffusion folders and what diffusers computes with them.

  make_reference.py [--out DIR] [--seed N]

DIR (default: data beside this script) receives
  models/<name>/     unet/, text_encoder/, vae/, scheduler/ as save_pretrained writes them, and reference.safetensors
  schedule/          cases.json (settings, timesteps) and reference.safetensors (every step of every sampler)

Versions: requirements.txt beside this script. Seed 0 is what is committed. The same seed gives the same files; another seed
gives other weights and inputs.
"""

import argparse
import json
import pathlib
import shutil

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    UNet2DConditionModel,
)
from diffusers.training_utils import compute_snr
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel

LENGTH = 7  # tokens of a prompt, fewer than there are positions

MODELS = {
    # As Stable Diffusion 1: convolutions around the transformers, one number of heads, quick_gelu.
    "sd1_small": dict(
        unet=dict(block_out_channels=(8, 16), layers_per_block=1, attention_head_dim=2, cross_attention_dim=16,
                  down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D")),
        text=dict(hidden_size=16, intermediate_size=40, num_hidden_layers=3, num_attention_heads=2, hidden_act="quick_gelu"),
        vae=dict(block_out_channels=(4, 8), layers_per_block=1),
        scheduler=dict(beta_schedule="scaled_linear", prediction_type="epsilon"),
        published=True,
    ),
    # Its four levels and two layers a level.
    "sd1_deep": dict(
        unet=dict(block_out_channels=(4, 8, 8, 8), layers_per_block=2, attention_head_dim=4, cross_attention_dim=8,
                  down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
                  up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3, center_input_sample=True),
        text=dict(hidden_size=8, intermediate_size=32, num_hidden_layers=12, num_attention_heads=4, hidden_act="quick_gelu"),
        vae=dict(block_out_channels=(4, 4, 8, 8), layers_per_block=2),
        scheduler=dict(beta_schedule="scaled_linear", prediction_type="epsilon"),
    ),
    # As Stable Diffusion 2: linear projections, heads by level, gelu, v prediction.
    "sd2_small": dict(
        unet=dict(block_out_channels=(8, 16), layers_per_block=1, attention_head_dim=[1, 4], cross_attention_dim=24,
                  down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
                  use_linear_projection=True, upcast_attention=True),
        text=dict(hidden_size=24, intermediate_size=48, num_hidden_layers=2, num_attention_heads=3, hidden_act="gelu"),
        vae=dict(block_out_channels=(4, 8), layers_per_block=1, scaling_factor=0.3),
        scheduler=dict(beta_schedule="scaled_linear", prediction_type="v_prediction"),
    ),
    # Everything that a configuration may set otherwise.
    "sd2_odd": dict(
        unet=dict(block_out_channels=(4, 8, 8), layers_per_block=[1, 2, 1], attention_head_dim=[1, 2, 4], cross_attention_dim=12,
                  down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
                  up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"), in_channels=3, out_channels=5,
                  use_linear_projection=True, transformer_layers_per_block=[1, 2, 1], norm_eps=1e-3,
                  freq_shift=1, flip_sin_to_cos=False),
        text=dict(hidden_size=12, intermediate_size=20, num_hidden_layers=23, num_attention_heads=3, hidden_act="gelu", layer_norm_eps=1e-4),
        vae=dict(block_out_channels=(4, 8, 8), layers_per_block=1, latent_channels=3, mid_block_add_attention=False,
                 use_quant_conv=False, use_post_quant_conv=False),
        scheduler=dict(beta_schedule="linear", prediction_type="v_prediction", rescale_betas_zero_snr=True),
    ),
}


def shaken(model, generator):
    """Moves every parameter, so that no bias is 0 and no norm is 1."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
    return model.eval()


class Given(torch.nn.Module):
    """In the place of a token table: hands out embeddings that were looked up elsewhere."""

    def __init__(self, embeddings):
        super().__init__()
        self.embeddings = embeddings

    def forward(self, input_ids):
        return self.embeddings


def text_states(text, embeddings):
    """The last layer's output before and after the final norm."""
    seen = {}
    handle = text.final_layer_norm.register_forward_hook(lambda module, inputs, output: seen.update(hidden=inputs[0]))
    table, text.embeddings.token_embedding = text.embeddings.token_embedding, Given(embeddings)
    states = text(input_ids=torch.zeros(embeddings.shape[:2], dtype=torch.long)).last_hidden_state
    text.embeddings.token_embedding = table
    handle.remove()
    return seen["hidden"], states


class LayerAttention:
    """A cross-attention processor in plain arithmetic: keys and values of its own, and it keeps its probabilities."""

    def __init__(self, keys=None, values=None):
        self.keys, self.values, self.probabilities = keys, values, None

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, **unused):
        keys = encoder_hidden_states if self.keys is None else self.keys
        values = encoder_hidden_states if self.values is None else self.values
        query = attn.head_to_batch_dim(attn.to_q(hidden_states))
        key, value = attn.head_to_batch_dim(attn.to_k(keys)), attn.head_to_batch_dim(attn.to_v(values))
        probabilities = attn.get_attention_scores(query, key)
        self.probabilities = probabilities.view(-1, attn.heads, *probabilities.shape[1:])
        return attn.to_out[0](attn.batch_to_head_dim(torch.bmm(probabilities, value)))


def cross_attentions(unet):
    """In the order in which they are called: down, middle, up."""
    parts = [*unet.down_blocks, unet.mid_block, *unet.up_blocks]
    return [block.attn2 for part in parts for transformer in getattr(part, "attentions", []) for block in transformer.transformer_blocks]


def unet_reference(unet, text, generator, out):
    randn = lambda *shape: torch.randn(*shape, generator=generator)
    c, c_out = unet.config.in_channels, unet.config.out_channels
    embeddings = randn(2, LENGTH, text.config.hidden_size).requires_grad_()
    hidden, states = text_states(text, embeddings)
    x, t = randn(2, c, 8, 8), torch.tensor([3, 741])
    output = unet(x, t, states).sample
    direction = randn(2, c_out, 8, 8)
    (gradient,) = torch.autograd.grad((output * direction).sum(), embeddings)
    out.update({"embeddings": embeddings, "hidden": hidden, "states": states, "x": x, "t": t, "prediction": output,
                "direction": direction, "gradient": gradient})

    odd = randn(2, c, 9, 7)
    out.update({"odd.x": odd, "odd.prediction": unet(odd, t, states).sample})
    out["fraction.prediction"] = unet(x, torch.tensor([3.25, 740.5]), states).sample

    layers = cross_attentions(unet)
    originals = [layer.processor for layer in layers]
    keys, values = (0.8 * randn(len(layers), *states.shape) for _ in range(2))
    for i, layer in enumerate(layers):
        layer.processor = LayerAttention(keys[i], values[i])
    out.update({"layered.keys": keys, "layered.values": values, "layered.prediction": unet(x, t, states).sample})
    for layer in layers:
        layer.processor = LayerAttention()
    unet(x, t, states)
    for i, layer in enumerate(layers):
        if i in (0, len(layers) // 2, len(layers) - 1):
            out[f"probabilities.{i}"] = layer.processor.probabilities
        layer.processor = originals[i]


def vae_reference(vae, generator, out):
    side = 8 * 2 ** (len(vae.config.block_out_channels) - 1)
    images = torch.rand(2, 3, side, side // 2, generator=generator) * 2 - 1
    if side > 32:
        images = images[:1]
    posterior = vae.encode(images).latent_dist
    latents = torch.randn(posterior.mean.shape, generator=generator)
    out.update({"images": images, "mean": posterior.mean, "std": posterior.std, "latents": latents, "decoded": vae.decode(latents).sample})


def as_published(folder):
    """transformers 5 drops the prefix that every published Stable Diffusion folder has."""
    path = folder / "model.safetensors"
    tensors = {"text_model." + name: tensor for name, tensor in load_file(path).items()}
    tensors["text_model.embeddings.position_ids"] = torch.arange(tensors["text_model.embeddings.position_embedding.weight"].shape[0])[None]
    save_file(tensors, path, metadata={"format": "pt"})


def make_model(name, out, seed):
    settings = MODELS[name]
    generator = torch.Generator().manual_seed(1000 * seed + list(MODELS).index(name))
    torch.manual_seed(generator.initial_seed())
    unet = UNet2DConditionModel(sample_size=8, norm_num_groups=4, **settings["unet"])
    text = CLIPTextModel(CLIPTextConfig(vocab_size=50, max_position_embeddings=9, bos_token_id=48, eos_token_id=49, pad_token_id=49, **settings["text"]))
    levels = len(settings["vae"]["block_out_channels"])
    vae = AutoencoderKL(norm_num_groups=4, sample_size=8 * 2 ** (levels - 1), down_block_types=("DownEncoderBlock2D",) * levels,
                        up_block_types=("UpDecoderBlock2D",) * levels, **settings["vae"])
    parts = {"unet": shaken(unet, generator), "text_encoder": shaken(text, generator), "vae": shaken(vae, generator)}

    folder = out / "models" / name
    shutil.rmtree(folder, ignore_errors=True)
    for part, model in parts.items():
        model.save_pretrained(folder / part)
    if settings.get("published"):
        as_published(folder / "text_encoder")
    DDPMScheduler(beta_start=0.00085, beta_end=0.012, clip_sample=False, steps_offset=1, **settings["scheduler"]).save_pretrained(folder / "scheduler")

    tensors = {}
    unet_reference(unet, text, generator, tensors)
    vae_reference(vae, generator, tensors)
    save(tensors, folder / "reference.safetensors")


def save(tensors, path):
    save_file({name: tensor.detach().contiguous().clone() for name, tensor in tensors.items()}, path)


SAMPLERS = {"ddim": DDIMScheduler, "dpm": DPMSolverMultistepScheduler, "euler": EulerDiscreteScheduler}
BETAS = dict(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")


def sampler_cases():
    """Each sampler, spacing and prediction; then what one of them alone does otherwise."""
    for sampler in SAMPLERS:
        for spacing in ("leading", "trailing", "linspace"):
            for prediction in ("epsilon", "v_prediction", "sample"):
                yield sampler, 10, dict(BETAS, timestep_spacing=spacing, prediction_type=prediction, steps_offset=1)
        yield sampler, 10, dict(beta_start=1e-4, beta_end=0.02, beta_schedule="linear", timestep_spacing="leading", prediction_type="epsilon")
        yield sampler, 17, dict(BETAS, timestep_spacing="leading", prediction_type="epsilon", steps_offset=1)
        yield sampler, 48, dict(BETAS, timestep_spacing="trailing", prediction_type="v_prediction")
        yield sampler, 7, dict(BETAS, timestep_spacing="linspace", prediction_type="epsilon")
        yield sampler, 10, dict(BETAS, timestep_spacing="trailing", prediction_type="v_prediction", rescale_betas_zero_snr=True)
        yield sampler, 1, dict(BETAS, timestep_spacing="trailing", prediction_type="epsilon")
    yield "ddim", 10, dict(BETAS, timestep_spacing="leading", prediction_type="epsilon", set_alpha_to_one=False, steps_offset=1)
    yield "ddim", 10, dict(BETAS, timestep_spacing="leading", prediction_type="epsilon", clip_sample=True, clip_sample_range=0.7)
    yield "ddim", 10, dict(BETAS, timestep_spacing="leading", prediction_type="epsilon", eta=0.6)


def make_schedule(out, seed):
    folder = out / "schedule"
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(1000 * seed + 99)
    outputs, noise = torch.randn(48, 2, 3, 4, generator=generator), torch.randn(2, 3, 4, generator=generator)
    tensors, cases = {"outputs": outputs, "noise": noise}, []
    for sampler, steps, settings in sampler_cases():
        settings = dict(settings)
        eta = settings.pop("eta", 0.0)
        keeps = {} if sampler != "ddim" else {"clip_sample": False, **settings}
        scheduler = SAMPLERS[sampler](**(keeps or settings))
        scheduler.set_timesteps(steps)
        draws = torch.Generator().manual_seed(5)
        x = noise * scheduler.init_noise_sigma
        inputs, states = [], []
        for i, t in enumerate(scheduler.timesteps):
            inputs.append(scheduler.scale_model_input(x, t))
            extra = dict(eta=eta, generator=draws) if eta else {}
            x = scheduler.step(outputs[i], t, x, **extra).prev_sample
            states.append(x)
        index = len(cases)
        tensors[f"{index}.states"] = torch.stack(states)
        if sampler == "euler":
            tensors[f"{index}.inputs"] = torch.stack(inputs)
        cases.append(dict(sampler=sampler, steps=steps, eta=eta, config=keeps or settings, timesteps=[float(t) for t in scheduler.timesteps],
                          init_noise_sigma=float(scheduler.init_noise_sigma)))

    x0, noise, t = (torch.randn(6, 2, 3, 4, generator=generator) for _ in range(2)), None, torch.tensor([0, 1, 250, 500, 998, 999])
    x0, noise = x0
    tensors.update({"forward.x0": x0, "forward.noise": noise, "forward.t": t})
    forward = []
    for settings in (dict(BETAS), dict(beta_start=1e-4, beta_end=0.02, beta_schedule="linear"), dict(BETAS, rescale_betas_zero_snr=True),
                     dict(beta_schedule="squaredcos_cap_v2")):
        scheduler = DDPMScheduler(**settings)
        index = len(forward)
        noisy = scheduler.add_noise(x0, noise, t)
        tensors[f"forward.{index}.noisy"] = noisy
        tensors[f"forward.{index}.velocity"] = scheduler.get_velocity(x0, noise, t)
        tensors[f"forward.{index}.snr"] = compute_snr(scheduler, t)
        tensors[f"forward.{index}.alphas_cumprod"] = scheduler.alphas_cumprod[t]
        forward.append(settings)
    save(tensors, folder / "reference.safetensors")
    (folder / "cases.json").write_text(json.dumps(dict(samplers=cases, forward=forward), indent=1) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent / "data")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.use_deterministic_algorithms(True)
    for name in MODELS:
        make_model(name, arguments.out, arguments.seed)
    make_schedule(arguments.out, arguments.seed)


if __name__ == "__main__":
    main()
