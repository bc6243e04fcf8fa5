"""Makes tests/data/images: small pictures of every kind, what Pillow reads from them, and what Pillow's resize makes.

    python tests/data/make_images.py        # Pillow 13.0.0, numpy; the result is committed
"""
import io
import pathlib
import shutil
import struct
import zlib

import numpy as np
from PIL import Image, ImageOps

ROOT = pathlib.Path(__file__).parent / "images"
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS}


def scene(width, height):
    """A picture that no mirroring or turning leaves as it is."""
    y, x = np.mgrid[0:height, 0:width]
    rgb = np.stack([x * 255 // max(width - 1, 1), y * 255 // max(height - 1, 1), (x * 7 + y * 13) % 256], -1).astype(np.uint8)
    rgb[: height // 3, : width // 4] = (230, 40, 30)
    rgb[height // 2 :, width // 2 : width // 2 + 2] = (20, 220, 60)
    return rgb


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, depth, color, rows, before=b"", after=b""):
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + before + chunk(b"IDAT", zlib.compress(rows, 9)) + after + chunk(b"IEND", b"")


def tiff(orientation, big=False, entries=1):
    """The smallest EXIF block with an orientation."""
    e = ">" if big else "<"
    block = (b"MM" if big else b"II") + struct.pack(e + "HIH", 42, 8, entries + 1)
    block += struct.pack(e + "HHII", 0x010F, 2, 3, 0x41424300)  # a maker, so that the tag is not the first
    block += struct.pack(e + "HHIHH", 0x0112, 3, 1, orientation, 0)
    return block + struct.pack(e + "I", 0)


def jpeg(image, exif=None, **options):
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90, **({"exif": b"Exif\0\0" + exif} if exif else {}), **options)
    return out.getvalue()


def good():
    """Name -> bytes of files that are read."""
    rgb = scene(24, 16)
    image = Image.fromarray(rgb)
    grey = image.convert("L")
    alpha = Image.fromarray(np.tile(np.linspace(0, 255, 24).astype(np.uint8), (16, 1)))
    files = {}

    def save(name, picture, **options):
        out = io.BytesIO()
        picture.save(out, name.split(".")[-1].upper(), **options)
        files[name] = out.getvalue()

    save("rgb.png", image)
    save("grey.png", grey)
    save("bits1.png", image.convert("1"))
    rgba, la = image.copy(), grey.copy()
    rgba.putalpha(alpha)
    la.putalpha(alpha)
    save("rgba.png", rgba)
    save("grey_alpha.png", la)
    palette = image.quantize(16)
    save("palette.png", palette)
    save("palette_trns.png", palette, transparency=bytes(range(0, 256, 16)))
    save("rgb_trns.png", image, transparency=tuple(int(v) for v in rgb[0, 0]))
    save("one.png", image.crop((0, 0, 1, 1)))
    save("tall.png", Image.fromarray(scene(1, 200)))
    first = image.copy()
    save("animated.png", first, save_all=True, append_images=[ImageOps.mirror(image)], duration=100)
    save("oriented6.png", image, exif=b"Exif\0\0" + tiff(6))
    for name, color, channels in (("rgb16", 2, 3), ("rgba16", 6, 4)):
        deep = np.random.default_rng(1).integers(0, 65536, (16, 24, channels)).astype(">u2")
        files[name + ".png"] = png(24, 16, 16, color, b"".join(b"\0" + row.tobytes() for row in deep))
    deep = (np.arange(24 * 16) * 170 + 5).reshape(16, 24).astype(">u2")
    files["grey16.png"] = png(24, 16, 16, 0, b"".join(b"\0" + row.tobytes() for row in deep))
    broken_profile = chunk(b"iCCP", b"icc\0\0" + b"not a profile")
    plain = b"".join(b"\0" + row.tobytes() for row in rgb)
    files["broken_profile.png"] = png(24, 16, 8, 2, plain, broken_profile)
    files["interlaced.png"] = interlaced(rgb)

    for orientation in range(1, 9):
        files[f"exif{orientation}.jpg"] = jpeg(image, tiff(orientation, big=orientation % 2 == 0), subsampling=0)
    files["exif_beyond.jpg"] = jpeg(image, tiff(9), subsampling=0)
    files["exif_broken.jpg"] = jpeg(image, tiff(6, entries=60000)[:20], subsampling=0)
    files["baseline.jpg"] = jpeg(image)  # 4:2:0
    files["progressive.jpg"] = jpeg(image, progressive=True)
    files["grey.jpg"] = jpeg(grey)
    files["cmyk.jpg"] = jpeg(image.convert("CMYK"))
    files["png_inside.jpg"] = files["rgb.png"]
    return files


def interlaced(rgb):
    """Adam7, which Pillow does not write."""
    height, width, _ = rgb.shape
    rows = b""
    for x0, y0, dx, dy in ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)):
        for row in rgb[y0::dy, x0::dx]:
            rows += b"\0" + row.tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 1)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def bad(files):
    """Name -> bytes of files that are refused."""
    whole, picture = files["rgb.png"], files["baseline.jpg"]
    out = {
        "empty.png": b"",
        "truncated.png": whole[: len(whole) * 2 // 3],
        "no_end.png": whole[:-12],
        "bomb.png": png(30000, 30000, 8, 2, b"\0" * 1000),
        "hollow.png": png(8000, 8000, 8, 2, b"\0" * 1000),
        "zero_wide.png": png(0, 16, 8, 2, b"\0" * 100),
        "no_pixels.png": png(24, 16, 8, 2, b"\0" * 100),
        "no_palette.png": png(24, 16, 8, 3, b"\0" * 25 * 16),
        "truncated.jpg": picture[: len(picture) * 3 // 4],
        "truncated_progressive.jpg": files["progressive.jpg"][: len(files["progressive.jpg"]) // 2],
        "start_only.jpg": picture[:3],
        "picture.gif": b"GIF89a" + bytes(20),
        "picture.webp": b"RIFF\x24\0\0\0WEBPVP8 " + bytes(20),
        "picture.heic": b"\0\0\0\x18ftypheic" + bytes(20),
        "page.jpg": b"<!DOCTYPE html><html>404</html>",
    }
    wrong_crc = bytearray(whole)
    data = whole.index(b"IDAT")
    wrong_crc[data + 4 + struct.unpack(">I", whole[data - 4 : data])[0]] ^= 4
    out["wrong_crc.png"] = bytes(wrong_crc)
    bomb = bytearray(picture)
    at = picture.index(b"\xff\xc0") + 5
    bomb[at : at + 4] = struct.pack(">HH", 30000, 30000)
    out["bomb.jpg"] = bytes(bomb)
    return out


def resized():
    rng = np.random.default_rng(3)
    sources = {}
    for width, height in ((37, 23), (5, 3), (1, 17), (19, 1), (40, 40)):
        noise = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        hard = (rng.integers(0, 2, (height, width, 3)) * 255).astype(np.uint8)
        half = np.where(np.arange(width)[None, :, None] < width // 2, noise, hard)
        sources[(width, height)] = Image.fromarray(half.astype(np.uint8))
    targets = {
        (37, 23): [(16, 16), (13, 41), (64, 29), (36, 23), (37, 9), (1, 1)],
        (5, 3): [(31, 24), (2, 7)],
        (1, 17): [(6, 5), (1, 30)],
        (19, 1): [(7, 4), (40, 1)],
        (40, 40): [(30, 19), (30, 20), (8, 39)],  # Pillow begins with the height in the first alone
    }
    folder = ROOT / "resize"
    folder.mkdir()
    for (width, height), image in sources.items():
        image.save(folder / f"{width}x{height}.png", optimize=True)
        for w, h in targets[(width, height)]:
            for name, kernel in FILTERS.items():
                image.resize((w, h), kernel).save(folder / f"{width}x{height}_{w}x{h}_{name}.png", optimize=True)

    # Textual Inversion's preparation: the central square, then bicubic.
    for width, height in ((37, 23), (24, 31)):
        photo = Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
        side = min(width, height)
        array = np.asarray(photo)[(height - side) // 2 : (height + side) // 2, (width - side) // 2 : (width + side) // 2]
        photo.save(ROOT / "crop" / f"{width}x{height}.png", optimize=True)
        Image.fromarray(array).resize((20, 20), FILTERS["bicubic"]).save(ROOT / "crop" / f"{width}x{height}_prepared.png", optimize=True)


def main():
    shutil.rmtree(ROOT, ignore_errors=True)
    for folder in ("good", "expected", "bad", "crop"):
        (ROOT / folder).mkdir(parents=True)
    files = good()
    for name, data in files.items():
        (ROOT / "good" / name).write_bytes(data)
        picture = Image.open(io.BytesIO(data))
        picture.seek(0)
        if name == "grey16.png":  # Pillow clips these to white; every other reader takes the high byte
            picture = Image.fromarray((np.asarray(picture).astype(np.uint16) >> 8).astype(np.uint8))
        shown = ImageOps.exif_transpose(picture).convert("RGB")
        shown.save(ROOT / "expected" / (name + ".png"), optimize=True)
    for name, data in bad(files).items():
        (ROOT / "bad" / name).write_bytes(data)
    resized()
    total = sum(path.stat().st_size for path in ROOT.rglob("*") if path.is_file())
    print(f"{sum(1 for p in ROOT.rglob('*') if p.is_file())} files, {total} bytes")


if __name__ == "__main__":
    main()
