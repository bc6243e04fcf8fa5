#!/usr/bin/env python3
"""diffusers' load_textual_inversion reads what persona exports, in every form, with one vector and with three."""
import argparse
import os
import pathlib
import subprocess
import tempfile

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import load_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

DATA = pathlib.Path(__file__).parent.parent / "parity" / "data"


def pipeline():
    tokenizer = CLIPTokenizer.from_pretrained(DATA / "tokenizer" / "old")
    text = CLIPTextModel(CLIPTextConfig(vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32, num_hidden_layers=2,
                                        num_attention_heads=2, max_position_embeddings=77))
    model = DATA / "models" / "sd1_small"
    return StableDiffusionPipeline(
        vae=AutoencoderKL.from_pretrained(model / "vae"), text_encoder=text, tokenizer=tokenizer,
        unet=UNet2DConditionModel.from_pretrained(model / "unet"), scheduler=DDIMScheduler.from_pretrained(model / "scheduler"),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--programs", type=pathlib.Path, required=True)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        subprocess.run([args.programs / "test_learned", "[export]"], check=True, env={**os.environ, "PERSONA_EXPORT_TO": str(folder)})
        for vectors in (1, 3):
            expected = load_file(folder / f"{vectors}.safetensors")["rows.<ada>"]
            assert expected.shape == (vectors, 16), expected.shape
            forms = [("learned_embeds.safetensors", None), ("ada.safetensors", "<ada>")]
            if vectors == 1:
                forms.append(("vector/learned_embeds.safetensors", None))
                assert load_file(folder / "1/vector/learned_embeds.safetensors")["<ada>"].shape == (16,)
            for file, token in forms:
                pipe = pipeline()
                pipe.load_textual_inversion(str(folder / str(vectors) / file), token=token)
                tokens = ["<ada>"] + [f"<ada>_{i}" for i in range(1, vectors)]
                ids = pipe.tokenizer.convert_tokens_to_ids(tokens)
                rows = pipe.text_encoder.get_input_embeddings().weight[ids].detach()
                assert torch.equal(rows, expected), (file, vectors)
                images = pipe("a photo of <ada>", num_inference_steps=2, output_type="np").images
                assert images.shape[-1] == 3
                print(f"{file}, {vectors} vectors: read, equal, drawn with")


if __name__ == "__main__":
    main()
