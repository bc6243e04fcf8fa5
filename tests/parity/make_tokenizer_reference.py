#!/usr/bin/env python3
"""Writes what tokenizer_test.cpp compares with: a small CLIP-style vocabulary and the ids of transformers' CLIPTokenizer.

  make_tokenizer_reference.py [--out DIR] [--seed N]

DIR (default: data beside this script) receives, below tokenizer/,
  old/   vocab.json, merges.txt, tokenizer_config.json, special_tokens_map.json, as published Stable Diffusion 1 folders have them
  sd2/   the two config files of a Stable Diffusion 2 folder, which pads with "!"; its vocabulary is old/'s
  new/   tokenizer.json and tokenizer_config.json as save_pretrained writes them today, with a few added tokens
  cases.json   texts and their ids

Random texts in which transformers orders marks otherwise than Unicode does are left out, and counted: its tables for
normalization are older than those for the rest. Seed 0 is what is committed; another seed gives another vocabulary and other random texts. Made with transformers 5.23.0
and tokenizers 0.23.3. The same seed gives the same files.
"""

import argparse
import collections
import json
import pathlib
import random
import shutil
import unicodedata

import tokenizers
import transformers
from transformers import CLIPTokenizer

SIZE = 2000
BOS, EOS = "<|startoftext|>", "<|endoftext|>"
ADDED = ["<Ada>", "<ada-2>", "<ada", "New York", "Ünï", "x̂"]

CORPUS = """
a photo of a cat on the beach with a red hat. the photo of the dog in the snow, wearing a blue jacket and sunglasses.
an oil painting of a woman reading a book in a garden; a man riding a horse through the mountains at sunset.
close-up portrait of a smiling child, studio lighting, highly detailed, sharp focus, trending on the internet.
a rendering of a small wooden house beside the river, a bright picture of a weird statue, a dark drawing of the nice tower.
don't you think they're here? we've seen it's all we'll need, i'm sure he'd say. "quoted words" (and brackets) [too] {three}.
the quick brown fox jumps over the lazy dog while seven wizards juggle boxes of explosive quartz near the jetty.
artist station wallpaper character concept digital illustration fantasy landscape cinematic realistic photograph camera
einstein newton curie lovelace turing johnson williams brown jones garcia miller davis rodriguez martinez hernandez
la señora comió una manzana en el jardín; mañana el niño irá a la montaña. ¿dónde está la biblioteca? ¡qué día tan bonito!
l'été dernier, ma mère a préparé une crème brûlée à la fête; où êtes-vous allé, garçon? cœur, naïve, noël, français.
die schöne straße führt über die brücke nach münchen; größe, fuß, mädchen, käse, äpfel, österreich und weißwurst.
em são paulo a informação é notícia; coração, avião, irmã, você também. città, perché, più, così è la vita.
żółw łódź gęś źdźbło świętość. příliš žluťoučký kůň úpěl ďábelské ódy. árvíztűrő tükörfúrógép. ığdır'da şoför çaydanlık.
съешь же ещё этих мягких французских булок, да выпей чаю. портрет девушки на пляже, кошка и собака в снегу, красный шар.
η γάτα κάθεται στον κήπο και ο σκύλος τρέχει στην παραλία. ο οδυσσέας ταξίδεψε στη θάλασσα. ΰ ό ώ ς σ.
صورة قطة على الشاطئ. الكتاب على الطاولة والبيت كبير. سلام عليكم. تصویر گربه کنار دریا.
תמונה של חתול על החוף. הספר על השולחן והבית גדול. שלום עולם.
एक बिल्ली समुद्र तट पर बैठी है। यह किताब मेज़ पर है। नमस्ते दुनिया। বাংলা ভাষা সুন্দর। தமிழ் மொழி இனிது. ภาพถ่ายของแมวบนชายหาด
猫在海滩上的照片。一个女人在花园里读书。你好，世界！桜の花が咲く公園で猫が寝ている。こんにちは世界。カメラで写真を撮る。ひらがなとカタカナ。
고양이가 해변에 앉아 있다. 안녕하세요 세계. 한국어 문장입니다. 사진을 찍었다.
ქართული ანბანი ლამაზია. հայերեն այբուբեն. አማርኛ ፊደል. ᏣᎳᎩ ꮳꮃꭹ. tiếng việt đẹp lắm, phở bò ngon quá, người hà nội.
😀 😂 ❤️ 👍 🎉 🐱 🐶 🌊 🏖️ 🎨 👩‍🎨 👨‍👩‍👧‍👦 🇫🇷 🇯🇵 ✨ ⭐ → ← ↑ ≈ ≠ ± × ÷ € £ ¥ © ® ™ … — – “ ” ‘ ’ • ½ ¼ ² ³ № 1 2 3 4 5 6 7 8 9 0
"""

NASTY = [
    "", " ", "   ", "\n", "\t\r\n \u3000\u00a0\u2003", "\u200b", "\ufeff", "\ufeffcat", "a", "A", "!", "!!!", "! !", "?!?!", ".", "...",
    "cat", " cat ", "cat  dog", "cat\ndog", "cat\u00a0dog", "cat\u200bdog", "cat\u2028dog", "cat\x85dog", "cat\x1cdog", "cat\x0bdog",
    "don't", "don’t", "DON'T", "Don‘t", "don`t", "don''t", "'s", "'S", "'sound", "it's", "it' s", "'twas", "we're", "we'RE", "they've",
    "i'm", "I'M", "we'll", "he'd", "rock'n'roll", "'", "''", "'''", "''s", "!'s", "'ll'll", "'r", "'re've", "l'été", "'dog", "x'd'",
    "_x_", "__init__", "a_b", "-", "--", "a-b", "well-known", "e-mail@example.com", "https://example.com/a?b=c&d=%20", "#hash", "$5.00",
    "½", "Ⅷ", "42", "x42y", "３", "٤٢", "½½", "1/2", "10,000.5", "²³", "①②", "Ⅷ th", "一二三", "4️⃣", "〇", "𝟘𝟙", "𝐀𝐁",
    "İ", "İstanbul", "I\u0307", "i\u0307", "ı", "ISTANBUL", "ß", "ẞ", "STRASSE", "ǅ", "ǆ", "Ǆ", "ﬁ", "ﬁne", "ŉ", "ΣΑΣ", "ΟΔΥΣΣΕΥΣ", "ς",
    "ᾼ", "Ω", "Å", "K", "ſ", "Ꮳ", "ꭰ", "Ⴀ", "Ა", "𐐀", "Ⓐ", "Ⅰ", "Ǉ", "Ŀ", "ĲSSEL", "Ϗ", "Ⱥ", "Ɐ", "Ꞌ",
    "é", "e\u0301", "É", "E\u0301", "ñ", "n\u0303", "\u0301", "\u0301e", "a\u0301\u0323", "a\u0323\u0301", "ệ", "e\u0323\u0302",
    "가", "\u1100\u1161", "각", "\u1100\u1161\u11a8", "\u1100", "\u11a8", "カ\u3099", "ガ", "が", "か\u3099", "\u0344", "\u0958", "क\u093c",
    "\u2126", "\u212b", "\u1e9b\u0323", "\u0f73", "\u0cc6\u0cc2\u0cd5", "\U0001d15e", "\ufb1d", "\uf900", "\U0002f800", "q\u0307\u0323",
    "👩‍🎨", "👨‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇫🇷🇯🇵", "😀😀", "😀 😀", "❤", "❤️", "\ufe0f", "\u200d", "a\u200db", "🏴\U000e0067\U000e007f",
    "שלום עולם", "مرحبا بالعالم", "\u202eabc\u202c", "\u200fאב", "נִקּוּד", "تَشْكِيل", "هٰذَا", "ﷺ", "لا", "ﻼ", "עברית and English",
    "नमस्ते", "क्षत्रिय", "தமிழ்", "ไทย", "ภาษาไทย", "ខ្មែរ", "བོད་ཡིག", "မြန်မာ", "ଓଡ଼ିଆ", "සිංහල", "ລາວ", "ᠮᠣᠩᠭᠣᠯ", "𒀀𒁀", "𓀀",
    "你好，世界！", "こんにちは", "カメラcamera", "ｶﾒﾗ", "ＦＵＬＬ", "한국어", "中文abc中文", "々〆", "。", "「猫」", "漢字かな交じり文42個",
    "tiếng Việt", "ΑΒΓ αβγ", "Привет, МИР", "ЁЖ ёж", "Щука", "Україна ї", "ქართული", "ᲥᲐᲠᲗᲣᲚᲘ", "Հայերեն", "አማርኛ",
    "\x00", "a\x00b", "\x00\x00", "\x01\x02", "\x1f", "\x7f", "\x80", "\x9f", "a\x1bb", "\x08", "\u0600", "\u00ad", "so\u00adft", "\u2060",
    "\ue000", "\uf8ff", "\uffff", "\U0010ffff", "\ufffd", "\ufdd0", "\U000f0000", "\U000e0001", "\u2028", "\u2029", "\u180e", "\u1680x\u1680",
    BOS, EOS, BOS + EOS, "a" + EOS + "b", EOS + "'s", "x " + BOS + " y", "<|ENDOFTEXT|>", "<|StartOfText|>", "<|endoftext", "endoftext|>",
    "<|endoftext|", "!" + EOS, "!" + EOS + "!", "<" + BOS + ">", "<|endoftext |>", "<|end\u200boftext|>", "<<|endoftext|>>", "<|İ|>",
    "<Ada>", "<ada>", "<ADA>", "a photo of <Ada>", "photo<Ada>graph", "<ada-2>", "<ada-2", "<ada", "<Ada-2>", "<ada-2>'s", "<ada-2>!",
    "New York", "new york", "New  York", "New\nYork", "NewYork", "in New York city", "Ünï", "U\u0308ni\u0308", "ünï", "x̂", "x\u0302", "X\u0302y",
    "</w>", "cat</w>", "a</w>b", "Ġcat", "Ã©", "Ġ", "Ċ", "\u0120\u0100", "@@", "##ing", "[UNK]", "<unk>", "<s>", "{}", "a photo of {}",
    "hello!", "hello !", "Hello, World!", "wow!!! so cool!", "\"quoted\"", "“curly”", "(a)", "[b]", "a/b\\c", "a|b", "~`^", "=+*&%", "<>", "<3",
    ":-)", "¯\\_(ツ)_/¯", "C++20", "c#", "3D", "4k", "8K HDR", "f/1.8", "35mm", "A4", "R2-D2", "No. 5", "1st 2nd", "50%", "20°C", "x²", "H₂O",
]


def byte_alphabet():
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    table, extra = {}, 256
    for byte in range(256):
        if byte in kept:
            table[byte] = chr(byte)
        else:
            table[byte] = chr(extra)
            extra += 1
    # CLIP numbers the kept bytes first.
    return [table[b] for b in kept] + [table[b] for b in range(256) if b not in kept], table


def words_of(corpus, rng):
    """Words as lists of byte symbols and how often each counts, by CLIP's own normalization and split."""
    backend = CLIPTokenizer().backend_tokenizer
    _, table = byte_alphabet()
    counts = collections.Counter()
    for line in corpus.strip().splitlines():
        normal = backend.normalizer.normalize_str(line)
        for piece, _ in backend.pre_tokenizer.pre_tokenize_str(normal):
            counts[piece] += rng.randint(1, 9) if rng else 1
    assert all(c in table.values() for word in counts for c in word)
    return [([*word[:-1], word[-1] + "</w>"], n) for word, n in sorted(counts.items())]


def train(words, count):
    """Plain byte-pair encoding: the most frequent pair, the smallest of equals, `count` times."""
    merges = []
    while len(merges) < count:
        pairs = collections.Counter()
        for symbols, n in words:
            for pair in zip(symbols, symbols[1:]):
                pairs[pair] += n
        left, right = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append((left, right))
        for symbols, _ in words:
            i = 0
            while i + 1 < len(symbols):
                if symbols[i] == left and symbols[i + 1] == right:
                    symbols[i : i + 2] = [left + right]
                i += 1
    return merges


def dump(path, value, **how):
    path.write_text(json.dumps(value, ensure_ascii=False, **how) + "\n", encoding="utf-8")


def token_object(content, **more):
    return {"content": content, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False, **more}


def write_old_folder(folder, vocab, merges, pad):
    """The files that Stable Diffusion 1 and 2 were published with; vocabulary only where one is given."""
    folder.mkdir(parents=True, exist_ok=True)
    if vocab:
        dump(folder / "vocab.json", vocab, separators=(",", ":"))
        lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
        (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    typed = {"__type": "AddedToken"}
    config = {"add_prefix_space": False, "bos_token": token_object(BOS, **typed), "do_lower_case": True,
              "eos_token": token_object(EOS, **typed), "errors": "replace", "model_max_length": 77, "pad_token": EOS,
              "tokenizer_class": "CLIPTokenizer", "unk_token": token_object(EOS, **typed)}
    special = {"bos_token": token_object(BOS), "eos_token": token_object(EOS), "pad_token": pad, "unk_token": token_object(EOS)}
    dump(folder / "tokenizer_config.json", config, indent=2)
    dump(folder / "special_tokens_map.json", special, indent=2)


def random_texts(rng, count):
    words = CORPUS.split()
    # Letters, marks, digits, punctuation, symbols that Python's Unicode knows: older than what utf8proc and transformers know.
    known = [chr(c) for c in range(0x20, 0x20000) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")]
    marks = [c for c in known if unicodedata.combining(c)]
    latin = [c for c in known if ord(c) < 0x250]
    punctuation = list(".,;:!?'\"()-_/ ’“”…&+*#@%<>|")
    texts = []

    def case(word):
        return rng.choice([str.lower, str.upper, str.title, str.swapcase])(word)

    for i in range(count):
        kind = i % 8
        if kind in (0, 1):
            text = " ".join(case(rng.choice(words)) for _ in range(rng.randint(1, 9)))
        elif kind == 2:
            text = "".join(case(rng.choice(words)) + rng.choice(punctuation) for _ in range(rng.randint(1, 7)))
        elif kind == 3:
            text = "".join(rng.choice(known) for _ in range(rng.randint(1, 8)))
        elif kind == 4:
            text = "".join(rng.choice(latin) for _ in range(rng.randint(1, 16)))
        elif kind == 5:
            base = rng.choice(["a", "e", "o", "U", "i", "ω", "И", "क", "か", "\u1100\u1161", "가"])
            text = "".join(rng.choice([base, rng.choice(marks), rng.choice("\u0300\u0301\u0302\u0308\u0323\u0327\u0345\u3099\u11a8")])
                           for _ in range(rng.randint(2, 8)))
        elif kind == 6:
            text = unicodedata.normalize("NFD", " ".join(rng.choice(words) for _ in range(rng.randint(1, 4))))
        else:
            parts = [*words, *ADDED, BOS, EOS, "'s", "'T", "'ll", "\u00a0", "\n", "\x00", "7", "½", "😀", "\u200d", "!", "İ"]
            text = "".join(rng.choice(parts) for _ in range(rng.randint(2, 7)))
        texts.append(text)
    return texts


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--out", type=pathlib.Path, default=pathlib.Path(__file__).parent / "data")
    arguments.add_argument("--seed", type=int, default=0)
    args = arguments.parse_args()
    rng = random.Random(args.seed)

    alphabet, _ = byte_alphabet()
    tokens = alphabet + [symbol + "</w>" for symbol in alphabet]
    merges = train(words_of(CORPUS, rng if args.seed else None), SIZE - len(tokens) - 2)
    tokens += ["".join(pair) for pair in merges]
    # Two pairs may spell one token: such a merge stays, and the token has one id.
    tokens = [*dict.fromkeys(tokens), BOS, EOS]
    vocab = {token: i for i, token in enumerate(tokens)}

    args.out = args.out / "tokenizer"
    shutil.rmtree(args.out, ignore_errors=True)
    write_old_folder(args.out / "old", vocab, merges, EOS)
    write_old_folder(args.out / "sd2", None, None, "!")
    old = CLIPTokenizer.from_pretrained(args.out / "old")

    whole = args.out / "whole"
    shutil.copytree(args.out / "old", whole)
    shutil.copytree(args.out / "sd2", whole, dirs_exist_ok=True)
    sd2 = CLIPTokenizer.from_pretrained(whole)
    shutil.rmtree(whole)
    assert (old.pad_token_id, sd2.pad_token_id) == (vocab[EOS], 0)

    new = CLIPTokenizer.from_pretrained(args.out / "old")
    assert new.add_tokens(ADDED) == len(ADDED)
    new.save_pretrained(args.out / "new")
    new = CLIPTokenizer.from_pretrained(args.out / "new")

    backwards = CLIPTokenizer(vocab=vocab, merges=merges[::-1])

    longer = [("cat " * n).strip() for n in (73, 74, 75, 76, 77, 78, 79, 90)] + ["a" * 300, "ab" * 400, "猫" * 100, "ｗ" * 60, "!" * 200,
              "x" * 1500, "é" * 100, "e\u0301" * 100, "a" + "\u0301\u0323" * 60, "1" * 80, "'s" * 80, "İ" * 40, "\n" * 500, "ha" * 77 + "!"]
    nfc = tokenizers.normalizers.NFC()
    drawn = random_texts(rng, 900)
    kept = [text for text in drawn if nfc.normalize_str(text) == unicodedata.normalize("NFC", text)]
    texts = list(dict.fromkeys(NASTY + longer + kept))

    def ids(tokenizer, text):
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    cases = []
    for i, text in enumerate(texts):
        case = {"text": text, "ids": ids(old, text)}
        for name, tokenizer in (("sd2", sd2), ("new", new)):
            other = ids(tokenizer, text)
            if other != case["ids"]:
                case[name] = other
        if i % 5 == 0:
            case["backwards"] = ids(backwards, text)
            case["decoded"] = old.decode(case["ids"])
        cases.append(case)

    padded = []
    for text in ["", "a photo of a cat", *longer[:8], EOS + "!", "猫" * 100]:
        full = {"padding": "max_length", "max_length": 77, "truncation": True}
        padded.append({"text": text, "old": old(text, **full)["input_ids"], "sd2": sd2(text, **full)["input_ids"]})

    facts = {"made_with": {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__}, "seed": args.seed,
             "vocab_size": len(old), "new_size": len(new), "bos": old.bos_token_id, "eos": old.eos_token_id}
    lines = [json.dumps(case, separators=(",", ":")) for case in cases]
    body = json.dumps(facts)[:-1] + ',\n"padded":' + json.dumps(padded, separators=(",", ":")) + ',\n"cases":[\n' + ",\n".join(lines) + "\n]}\n"
    (args.out / "cases.json").write_text(body, encoding="utf-8")
    total = sum(f.stat().st_size for f in args.out.rglob("*") if f.is_file())
    print(f"{len(cases)} texts ({len(drawn) - len(kept)} left out), {len(old)} tokens, {len(merges)} merges, {total / 1000:.0f} kB in {args.out}")


if __name__ == "__main__":
    main()
