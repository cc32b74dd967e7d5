"""Screenshots with 256 colours, a third as large: pictures of text and lines have few anyway."""

import base64
import struct
import zlib

import numpy as np

COLOURS = 256
PIXELS = """async (source) => {
  const image = new Image();
  image.src = "data:image/png;base64," + source;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [image.width, image.height];
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const bytes = context.getImageData(0, 0, image.width, image.height).data;
  let text = "";
  for (let k = 0; k < bytes.length; k += 32768) {
    text += String.fromCharCode(...bytes.subarray(k, k + 32768));
  }
  return [image.width, image.height, btoa(text)];
}"""


def small_png(page, png):
    """The same picture in at most 256 colours.

    Args:
        page: of a browser, which decodes it.
        png: content of a PNG file.
    """
    width, height, text = page.evaluate(PIXELS, base64.b64encode(png).decode())
    pixels = np.frombuffer(base64.b64decode(text), np.uint8).reshape(-1, 4)[:, :3]
    palette, places = _indexed(pixels)
    lines = np.zeros((height, width + 1), np.uint8)  # each begins with its filter: none
    lines[:, 1:] = places.reshape(height, width)
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = [(b"IHDR", head), (b"PLTE", palette.tobytes()), (b"IEND", b"")]
    parts.insert(2, (b"IDAT", zlib.compress(lines.tobytes(), 9)))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*part) for part in parts)


def _indexed(pixels):
    """The most frequent colours, and for each pixel the one that is nearest.

    Args:
        pixels: (n, 3) of red, green and blue.

    Returns:
        Colours (at most 256, 3), and their indices (n,).
    """
    colours, places, counts = np.unique(pixels, axis=0, return_inverse=True, return_counts=True)
    kept = colours[np.argsort(-counts)[:COLOURS]]
    away = colours[:, None, :].astype(np.int32) - kept[None].astype(np.int32)
    nearest = np.argmin((away**2).sum(axis=2), axis=1).astype(np.uint8)
    return kept, nearest[places.ravel()]


def _chunk(name, content):
    check = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)
