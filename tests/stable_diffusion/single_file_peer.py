"""persona reads the single files that diffusers reads: every tensor is that of the folder, bit for bit."""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

TOKENIZERS = pathlib.Path(__file__).parent.parent / "parity" / "data" / "tokenizer"


def pipeline(second, folder):
    """A small random model with the levels, layers and blocks of Stable Diffusion 1 or 2."""
    torch.manual_seed(2 if second else 1)
    shutil.copytree(TOKENIZERS / "old", folder)
    if second:  # which pads with "!"
        shutil.copytree(TOKENIZERS / "sd2", folder, dirs_exist_ok=True)
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    channels = (64, 128, 128, 192) if second else (32, 64, 96, 96)
    heads = [c // 64 for c in channels] if second else 8
    unet = UNet2DConditionModel(
        sample_size=96 if second else 64, block_out_channels=channels, layers_per_block=2, cross_attention_dim=64,
        attention_head_dim=heads, use_linear_projection=second,
        down_block_types=("CrossAttnDownBlock2D",) * 3 + ("DownBlock2D",),
        up_block_types=("UpBlock2D",) + ("CrossAttnUpBlock2D",) * 3)
    vae = AutoencoderKL(
        sample_size=768 if second else 512, block_out_channels=(32, 32, 64, 64), layers_per_block=2, latent_channels=4,
        down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4)
    text = CLIPTextModel(CLIPTextConfig(
        vocab_size=len(tokenizer), hidden_size=64, intermediate_size=96, num_hidden_layers=23 if second else 4,
        num_attention_heads=1, max_position_embeddings=77, hidden_act="gelu" if second else "quick_gelu"))
    scheduler = DDIMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False, set_alpha_to_one=False,
        steps_offset=1, prediction_type="v_prediction" if second else "epsilon")
    return StableDiffusionPipeline(
        vae=vae, text_encoder=text, tokenizer=tokenizer, unet=unet, scheduler=scheduler, safety_checker=None,
        feature_extractor=None, requires_safety_checker=False)


def replaced(name, pairs):
    for now, before in pairs:
        name = name.replace(now, before)
    return name


def unet_name(name, layers=2, levels=4):
    resnet = [("norm1", "in_layers.0"), ("conv1", "in_layers.2"), ("norm2", "out_layers.0"), ("conv2", "out_layers.3"),
              ("time_emb_proj", "emb_layers.1"), ("conv_shortcut", "skip_connection")]
    parts = name.split(".")
    if parts[0] == "down_blocks":
        block = 1 + int(parts[1]) * (layers + 1)
        if parts[2] == "downsamplers":
            return f"input_blocks.{block + layers}.0.op.{parts[-1]}"
        inner = ".".join(parts[4:])
        inner = replaced(inner, resnet) if parts[2] == "resnets" else inner
        return f"input_blocks.{block + int(parts[3])}.{int(parts[2] == 'attentions')}.{inner}"
    if parts[0] == "up_blocks":
        block = int(parts[1]) * (layers + 1)
        if parts[2] == "upsamplers":
            return f"output_blocks.{block + layers}.{1 if parts[1] == '0' else 2}.conv.{parts[-1]}"
        inner = ".".join(parts[4:])
        inner = replaced(inner, resnet) if parts[2] == "resnets" else inner
        return f"output_blocks.{block + int(parts[3])}.{int(parts[2] == 'attentions')}.{inner}"
    if parts[0] == "mid_block":
        inner = ".".join(parts[3:])
        inner = replaced(inner, resnet) if parts[1] == "resnets" else inner
        return f"middle_block.{1 if parts[1] == 'attentions' else 2 * int(parts[2])}.{inner}"
    return replaced(name, [("time_embedding.linear_1", "time_embed.0"), ("time_embedding.linear_2", "time_embed.2"),
                           ("conv_in", "input_blocks.0.0"), ("conv_norm_out", "out.0"), ("conv_out", "out.2")])


def vae_name(name, levels=4):
    for level in range(levels):
        name = name.replace(f"up_blocks.{level}.", f"up.{levels - 1 - level}.")
    return replaced(name, [
        ("down_blocks", "down"), ("downsamplers.0", "downsample"), ("upsamplers.0", "upsample"),
        ("mid_block.resnets.0", "mid.block_1"), ("mid_block.resnets.1", "mid.block_2"),
        ("mid_block.attentions.0.group_norm", "mid.attn_1.norm"), ("mid_block.attentions.0.to_q", "mid.attn_1.q"),
        ("mid_block.attentions.0.to_k", "mid.attn_1.k"), ("mid_block.attentions.0.to_v", "mid.attn_1.v"),
        ("mid_block.attentions.0.to_out.0", "mid.attn_1.proj_out"), ("resnets", "block"),
        ("conv_norm_out", "norm_out"), ("conv_shortcut", "nin_shortcut")])


def text_states(model):
    return {k if k.startswith("text_model.") else f"text_model.{k}": v for k, v in model.state_dict().items()
            if not k.endswith("position_ids")}


def ldm_states(pipe, second):
    states = {f"model.diffusion_model.{unet_name(k)}": v for k, v in pipe.unet.state_dict().items()}
    for k, v in pipe.vae.state_dict().items():
        name = vae_name(k)
        states[f"first_stage_model.{name}"] = v[:, :, None, None] if ".mid.attn_1." in name and v.ndim == 2 else v
    text = text_states(pipe.text_encoder)
    if not second:
        states |= {f"cond_stage_model.transformer.{k}": v for k, v in text.items()}
        states["cond_stage_model.transformer.text_model.embeddings.position_ids"] = torch.arange(77)[None]
    else:
        layers = 23
        front = "cond_stage_model.model."
        states[front + "positional_embedding"] = text["text_model.embeddings.position_embedding.weight"]
        states[front + "token_embedding.weight"] = text["text_model.embeddings.token_embedding.weight"]
        for end in ("weight", "bias"):
            states[f"{front}ln_final.{end}"] = text[f"text_model.final_layer_norm.{end}"]
            for i in range(layers + 1):  # the last one is not read
                at, layer = f"{front}transformer.resblocks.{i}.", f"text_model.encoder.layers.{min(i, layers - 1)}."
                states[f"{at}attn.in_proj_{end}"] = torch.cat([text[f"{layer}self_attn.{x}_proj.{end}"] for x in "qkv"])
                for now, before in (("self_attn.out_proj", "attn.out_proj"), ("layer_norm1", "ln_1"),
                                    ("layer_norm2", "ln_2"), ("mlp.fc1", "mlp.c_fc"), ("mlp.fc2", "mlp.c_proj")):
                    states[f"{at}{before}.{end}"] = text[f"{layer}{now}.{end}"]
        states[front + "text_projection"] = torch.randn(64, 64)
        states[front + "logit_scale"] = torch.tensor(1.0)
    states["alphas_cumprod"] = pipe.scheduler.alphas_cumprod
    states["betas"] = pipe.scheduler.betas
    states["model_ema.decay"] = torch.tensor(0.9999)
    states["model_ema.diffusion_modelout2bias"] = torch.ones(4)
    return {k: v.detach().clone().contiguous() for k, v in states.items()}


def expect_equal(found, wanted, what):
    assert found.keys() == wanted.keys(), (what, sorted(found.keys() ^ wanted.keys())[:10])
    for name, tensor in wanted.items():
        assert torch.equal(found[name], tensor), (what, name)
    print(f"{what}: {len(wanted)} tensors, equal")


parser = argparse.ArgumentParser()
parser.add_argument("--programs", type=pathlib.Path, required=True)
programs = parser.parse_args().programs

for second in (False, True):
    name = "Stable Diffusion 2" if second else "Stable Diffusion 1"
    with tempfile.TemporaryDirectory() as temporary:
        temporary = pathlib.Path(temporary)
        pipe = pipeline(second, temporary / "tokenizer")
        parts = {"unet": pipe.unet.state_dict(), "vae": pipe.vae.state_dict(),
                 "text_encoder": text_states(pipe.text_encoder)}
        pipe.save_pretrained(temporary / "theirs")
        save_file(ldm_states(pipe, second), temporary / "model.safetensors")

        # The file is what diffusers itself reads as this model.
        again = StableDiffusionPipeline.from_single_file(
            str(temporary / "model.safetensors"), config=str(temporary / "theirs"), local_files_only=True)
        expect_equal(again.unet.state_dict(), parts["unet"], f"{name}, diffusers, unet")
        expect_equal(again.vae.state_dict(), parts["vae"], f"{name}, diffusers, vae")
        expect_equal(text_states(again.text_encoder), parts["text_encoder"], f"{name}, diffusers, text encoder")

        subprocess.run(
            [programs / "test_stable_diffusion", "[.peer_single_file]"], check=True, stdout=subprocess.DEVNULL,
            env={**os.environ, "PERSONA_SINGLE_FILE": str(temporary / "model.safetensors"),
                 "PERSONA_FOLDER": str(temporary / "ours"), "PERSONA_TOKENIZER": str(temporary / "tokenizer"),
                 "PERSONA_PREDICTION": "v_prediction" if second else ""})
        for part, stem in (("unet", "diffusion_pytorch_model"), ("vae", "diffusion_pytorch_model"), ("text_encoder", "model")):
            ours = load_file(temporary / f"ours/{part}/{stem}.safetensors")
            expect_equal(ours, {k: v.detach() for k, v in parts[part].items()}, f"{name}, persona, {part}")
            config = json.loads((temporary / f"ours/{part}/config.json").read_text())
            wanted = json.loads((temporary / f"theirs/{part}/config.json").read_text())
            skipped = {"_diffusers_version", "architectures", "projection_dim", "bos_token_id", "eos_token_id", "pad_token_id"}
            for key in config.keys() - skipped:
                assert key not in wanted or config[key] == wanted[key], (part, key, config[key], wanted[key])
        schedule = DDIMScheduler.from_pretrained(temporary / "ours", subfolder="scheduler")
        for key in ("prediction_type", "beta_start", "beta_end", "beta_schedule", "steps_offset", "set_alpha_to_one"):
            assert schedule.config[key] == pipe.scheduler.config[key], key
