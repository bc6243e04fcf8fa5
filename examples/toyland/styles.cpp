#include "paint.hpp"

#include <algorithm>
#include <cmath>

namespace toyland {
namespace {

constexpr int n = image_size;

std::uint8_t byte(double v) { return static_cast<std::uint8_t>(std::clamp(v, 0.0, 255.0) + 0.5); }
Color at(const Picture& p, int x, int y) {
  const auto i = static_cast<std::size_t>((std::clamp(y, 0, n - 1) * n + std::clamp(x, 0, n - 1)) * 3);
  return {p[i] / 255.0, p[i + 1] / 255.0, p[i + 2] / 255.0};
}
void put(Picture& p, int x, int y, Color c) {
  const auto i = static_cast<std::size_t>((y * n + x) * 3);
  p[i] = byte(c.r * 255), p[i + 1] = byte(c.g * 255), p[i + 2] = byte(c.b * 255);
}
double light(Color c) { return 0.3 * c.r + 0.59 * c.g + 0.11 * c.b; }

double edge(const Picture& p, int x, int y) {
  double sum = 0;
  const Color here = at(p, x, y);
  for (const auto& [dx, dy] : {std::array{1, 0}, {0, 1}}) {
    const Color there = at(p, x + dx, y + dy);
    sum += std::abs(here.r - there.r) + std::abs(here.g - there.g) + std::abs(here.b - there.b);
  }
  return sum;
}

template <class F>
void repaint(Picture& p, F&& color) {
  const Picture before = p;
  for (int y = 0; y < n; ++y)
    for (int x = 0; x < n; ++x) put(p, x, y, color(before, x, y));
}

/// Facets around scattered points, each shifted and tinted a little, dark lines between them.
void cubism(Picture& p, Dice& dice) {
  struct Facet {
    double x, y;
    int dx, dy;
    double tint;
  };
  std::array<Facet, 22> facets;
  for (auto& f : facets)
    f = {dice.uniform(0, n), dice.uniform(0, n), dice.below(5) - 2, dice.below(5) - 2, dice.uniform(-0.25, 0.25)};
  repaint(p, [&](const Picture& from, int x, int y) {
    double first = 1e9, second = 1e9;
    const Facet* mine = nullptr;
    for (const auto& f : facets) {
      const double d = std::hypot(f.x - x, f.y - y);
      if (d < first)
        second = first, first = d, mine = &f;
      else if (d < second)
        second = d;
    }
    const Color c = at(from, x + mine->dx, y + mine->dy);
    return second - first < 0.7 ? darker(c, 0.45) : mine->tint > 0 ? lighter(c, mine->tint) : darker(c, -mine->tint);
  });
}

/// Round dots of the colours beneath them, three pixels apart, on a pale ground.
void pointillism(Picture& p, Dice& dice) {
  const Picture from = p;
  repaint(p, [](const Picture& q, int x, int y) { return lighter(at(q, x, y), 0.8); });
  for (int row = 0; row * 3 < n; ++row)
    for (int column = 0; column * 3 < n; ++column) {
      const int x = column * 3 + row % 2, y = row * 3;
      const double bright = dice.uniform(-0.12, 0.12);
      const Color c = at(from, x, y), dot = bright > 0 ? lighter(c, bright) : darker(c, -bright);
      for (const auto& [dx, dy] : {std::array{0, 0}, {1, 0}, {0, 1}, {1, 1}})
        put(p, std::min(x + dx, n - 1), std::min(y + dy, n - 1), dot);
    }
}

/// Wild colours in flat fields with blue-black contours.
void fauvism(Picture& p) {
  repaint(p, [](const Picture& q, int x, int y) {
    const Color c = at(q, x, y);
    const double l = light(c);
    const auto wild = [&](double v) { return std::clamp(std::round((l + (v - l) * 2.6) * 3) / 3, 0.0, 1.0); };
    const Color vivid{wild(c.r), wild(c.g), wild(c.b)};
    const Color shifted{vivid.r * 0.6 + vivid.b * 0.4, vivid.g * 0.7 + vivid.r * 0.25, vivid.b * 0.6 + vivid.g * 0.4};
    return edge(q, x, y) > 0.55 ? rgb(0x141c5a) : shifted;
  });
}

/// Ochre and charcoal on rough stone.
void mural(Picture& p, Dice& dice) {
  std::array<double, 81> rough;
  for (auto& r : rough) r = dice.uniform(-0.14, 0.14);
  repaint(p, [&](const Picture& q, int x, int y) {
    const double l = light(at(q, x, y));
    const Color ochre =
        l < 0.45 ? mix(rgb(0x3a1d10), rgb(0xa5532a), l / 0.45) : mix(rgb(0xa5532a), rgb(0xe2b982), (l - 0.45) / 0.55);
    const double grain = rough[static_cast<std::size_t>((x / 8) * 9 + y / 8)];
    const Color stone = grain > 0 ? lighter(ochre, grain) : darker(ochre, -grain);
    return edge(q, x, y) > 0.5 ? rgb(0x2a140b) : stone;
  });
}

/// Milk foam on coffee, in a round cup.
void latte(Picture& p) {
  repaint(p, [](const Picture& q, int x, int y) {
    const double r = std::hypot(x - 31.5, y - 31.5);
    if (r > 31.5) return rgb(0x8b5e3b);
    if (r > 29.3) return rgb(0xffffff);
    const double l = light(at(q, x, y));
    return edge(q, x, y) > 0.5 ? rgb(0x6a3a16) : mix(rgb(0x8a5223), rgb(0xf7e3c3), l);
  });
}

/// Pencil on paper: contours and two tones of hatching.
void sketch(Picture& p) {
  repaint(p, [](const Picture& q, int x, int y) {
    const double l = light(at(q, x, y));
    double tone = 0.97;
    if (l < 0.55 && (x + y) % 4 == 0) tone = 0.62;
    if (l < 0.3 && (x + y) % 2 == 0) tone = 0.45;
    if (edge(q, x, y) > 0.35) tone = 0.16;
    return Color{tone, tone, tone * 0.98};
  });
}

/// Thin washes that run into each other on white paper.
void watercolor(Picture& p) {
  for (int pass = 0; pass < 2; ++pass)
    repaint(p, [](const Picture& q, int x, int y) {
      Color sum;
      for (int dy = -1; dy <= 1; ++dy)
        for (int dx = -1; dx <= 1; ++dx) {
          const Color c = at(q, x + dx, y + dy);
          sum.r += c.r / 9, sum.g += c.g / 9, sum.b += c.b / 9;
        }
      return sum;
    });
  repaint(p, [](const Picture& q, int x, int y) {
    const double border = std::min({x, y, n - 1 - x, n - 1 - y, 6}) / 6.0;
    return lighter(at(q, x, y), 0.3 + 0.7 * (1 - border));
  });
}

// The held-out styles.

/// Blocks of four by four pixels.
void pixels(Picture& p) {
  repaint(p, [](const Picture& q, int x, int y) { return at(q, x / 4 * 4 + 2, y / 4 * 4 + 2); });
}

/// Glowing contours in the dark.
void neon(Picture& p) {
  repaint(p, [](const Picture& q, int x, int y) {
    const Color c = at(q, x, y);
    const double e = std::min(1.0, edge(q, x, y) * 1.4);
    const Color glow{0.4 + 0.6 * c.r, 0.1 + 0.9 * c.g, 0.6 + 0.4 * c.b};
    return mix(rgb(0x0b0618), glow, e);
  });
}

/// White lines on Prussian blue.
void blueprint(Picture& p) {
  repaint(p, [](const Picture& q, int x, int y) {
    if (edge(q, x, y) > 0.35) return rgb(0xf2f7ff);
    return x % 8 == 0 || y % 8 == 0 ? rgb(0x3a6cc8) : rgb(0x1b4aa5);
  });
}

/// Square tiles with pale joints.
void mosaic(Picture& p, Dice& dice) {
  std::array<double, 169> tint;
  for (auto& t : tint) t = dice.uniform(-0.18, 0.18);
  repaint(p, [&](const Picture& q, int x, int y) {
    if (x % 5 == 0 || y % 5 == 0) return rgb(0xd8d2c4);
    const double t = tint[static_cast<std::size_t>(x / 5 * 13 + y / 5)];
    const Color c = at(q, x / 5 * 5 + 2, y / 5 * 5 + 2);
    return t > 0 ? lighter(c, t) : darker(c, -t);
  });
}

/// Flat loud colours, black contours, halftone dots in the shadows.
void comic(Picture& p) {
  repaint(p, [](const Picture& q, int x, int y) {
    const Color c = at(q, x, y);
    if (edge(q, x, y) > 0.5) return rgb(0x0a0a0a);
    const auto flat = [](double v) { return std::round(v * 2) / 2; };
    const Color loud{flat(c.r), flat(c.g), flat(c.b)};
    return light(c) < 0.5 && (x + y) % 3 == 0 ? lighter(loud, 0.45) : loud;
  });
}

}  // namespace

void apply_style(Picture& picture, Style style, Dice& dice) {
  switch (style) {
    case Style::cubism:
      return cubism(picture, dice);
    case Style::pointillism:
      return pointillism(picture, dice);
    case Style::fauvism:
      return fauvism(picture);
    case Style::mural:
      return mural(picture, dice);
    case Style::latte:
      return latte(picture);
    case Style::sketch:
      return sketch(picture);
    case Style::watercolor:
      return watercolor(picture);
    case Style::pixels:
      return pixels(picture);
    case Style::neon:
      return neon(picture);
    case Style::blueprint:
      return blueprint(picture);
    case Style::mosaic:
      return mosaic(picture, dice);
    case Style::comic:
      return comic(picture);
    case Style::photo:
    case Style::end:
      return;
  }
}

}  // namespace toyland
