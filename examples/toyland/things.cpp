#include "paint.hpp"

#include <functional>

namespace toyland {
namespace {

/// What a thing is painted with: its colours, and its pattern laid over any shape.
struct Coat {
  Color main, second, line;
  int pattern;
};

using Shape = std::function<void(Canvas&)>;

/// Fills `shape` with the coat and draws its outline.
void paint_coat(Canvas& c, const Coat& coat, const Shape& shape) {
  cairo_t* cairo = c.cairo();
  shape(c), c.fill(coat.main);
  if (coat.pattern != 0) {
    cairo_save(cairo), shape(c), cairo_clip(cairo);
    if (coat.pattern == 1)
      for (double y = 3; y < 66; y += 7) c.box(-8, y, 80, 3.2).fill(coat.second);
    if (coat.pattern == 2)
      for (int row = 0; row < 9; ++row)
        for (int column = 0; column < 9; ++column)
          c.disc(column * 8.0 + (row % 2) * 4, 3 + row * 7.5, 2.1).fill(coat.second);
    if (coat.pattern == 3) c.box(32, -8, 48, 80).fill(coat.second);
    cairo_restore(cairo);
  }
  shape(c), c.stroke(coat.line, 1.2);
}

void eye(Canvas& c, double x, double y, double r = 2.2) {
  c.disc(x, y, r + 0.9).fill(rgb(0xffffff)), c.disc(x, y, r).fill(rgb(0x17171c)),
      c.disc(x - 0.7, y - 0.8, 0.7).fill(rgb(0xffffff));
}

void snout(Canvas& c, double y, double w = 6.5) {
  c.oval(32, y, w, w * 0.72).fill(rgb(0xfff4e6)), c.oval(32, y - 2, 2.4, 1.6).fill(rgb(0x2a1a1a));
  c.line({{32, y - 1}, {32, y + 2}}).stroke(rgb(0x2a1a1a), 0.9);
}

void sitting_body(Canvas& c, const Coat& coat) {
  paint_coat(c, coat, [](Canvas& k) { k.oval(32, 53, 14, 13); });
  for (const double x : {24.5, 39.5}) c.oval(x, 63, 4.6, 3).fill_stroke(lighter(coat.main, 0.25), coat.line, 1);
}

void cat(Canvas& c, const Coat& coat) {
  c.curve({45, 58}, {58, 58}, {56, 44}, {52, 40}).stroke(coat.line, 5.4);
  c.curve({45, 58}, {58, 58}, {56, 44}, {52, 40}).stroke(coat.main, 3.6);
  sitting_body(c, coat);
  for (const double s : {-1.0, 1.0}) {
    paint_coat(c, coat, [s](Canvas& k) { k.polygon({{32 + s * 15, 27}, {32 + s * 14, 9}, {32 + s * 3, 19}}); });
    c.polygon({{32 + s * 12.6, 22}, {32 + s * 12, 14}, {32 + s * 7, 19}}).fill(rgb(0xf59ab5));
  }
  paint_coat(c, coat, [](Canvas& k) { k.oval(32, 29, 16, 13.5); });
  for (const double s : {-1.0, 1.0}) {
    c.oval(32 + s * 6.8, 27, 3.4, 3.8).fill(rgb(0xc8f060)), c.oval(32 + s * 6.8, 27, 1.1, 3.4).fill(rgb(0x17171c));
    for (const double y : {33.0, 35.4})
      c.line({{32 + s * 6, y}, {32 + s * 18, y + (y - 34)}}).stroke(rgb(0x3a3a3a), 0.7);
  }
  c.polygon({{30, 32}, {34, 32}, {32, 34.4}}).fill(rgb(0xe0607a));
}

void dog(Canvas& c, const Coat& coat) {
  sitting_body(c, coat);
  paint_coat(c, coat, [](Canvas& k) { k.round_box(18, 15, 28, 28, 12); });
  for (const double s : {-1.0, 1.0})
    c.oval(32 + s * 16, 27, 4.6, 11.5).fill_stroke(darker(coat.main, 0.35), coat.line, 1.2);
  for (const double s : {-1.0, 1.0}) eye(c, 32 + s * 6, 25.5);
  snout(c, 35, 8);
  c.oval(32, 41.6, 2.6, 3.4).fill(rgb(0xf0607c));
}

void panda(Canvas& c, const Coat& coat) {
  const Color dark = rgb(0x1d1d22);
  sitting_body(c, coat);
  for (const double s : {-1.0, 1.0})
    c.oval(32 + s * 14, 50, 4.4, 9).fill(dark), c.disc(32 + s * 12.5, 15, 6).fill(dark);
  paint_coat(c, coat, [](Canvas& k) { k.oval(32, 28, 17, 15); });
  for (const double s : {-1.0, 1.0})
    c.oval(32 + s * 7.5, 27, 4.8, 5.6).fill(dark), c.disc(32 + s * 6.8, 26.4, 1.9).fill(rgb(0xffffff));
  snout(c, 35.5, 5.5);
}

void elephant(Canvas& c, const Coat& coat) {
  paint_coat(c, coat, [](Canvas& k) { k.round_box(14, 36, 36, 30, 9); });
  for (const double s : {-1.0, 1.0}) {
    paint_coat(c, coat, [s](Canvas& k) { k.oval(32 + s * 17, 26, 10, 13); });
    c.oval(32 + s * 17, 27, 6, 8.5).fill(mix(coat.main, rgb(0xf59ab5), 0.6));
  }
  paint_coat(c, coat, [](Canvas& k) { k.oval(32, 26, 14, 15); });
  c.curve({32, 32}, {32, 46}, {30, 52}, {39, 53}).stroke(coat.line, 9);
  c.curve({32, 32}, {32, 46}, {30, 52}, {39, 53}).stroke(lighter(coat.main, 0.12), 6.8);
  for (const double s : {-1.0, 1.0}) {
    eye(c, 32 + s * 7.4, 23, 1.8);
    c.line({{32 + s * 7, 38}, {32 + s * 9.5, 45}}).stroke(rgb(0xfffbe8), 2.8);
  }
}

void bird(Canvas& c, const Coat& coat) {
  for (const double x : {28.0, 36.0}) c.line({{x, 56}, {x, 64}}).stroke(rgb(0xe08a1a), 2.2);
  c.polygon({{46, 44}, {61, 36}, {58, 50}}).fill_stroke(darker(coat.main, 0.3), coat.line, 1.2);
  paint_coat(c, coat, [](Canvas& k) { k.oval(33, 46, 17, 14); });
  c.oval(39, 47, 9, 6.4).fill_stroke(darker(coat.main, 0.25), coat.line, 1);
  paint_coat(c, coat, [](Canvas& k) { k.disc(26, 25, 12.5); });
  c.polygon({{15, 23}, {3, 27.5}, {15, 31}}).fill_stroke(rgb(0xf5a11f), rgb(0x9a5a10), 1);
  eye(c, 22.5, 22, 2.6);
  c.polygon({{26, 13.5}, {29, 4}, {33, 14.5}}).fill(darker(coat.main, 0.25));
}

void bear(Canvas& c, const Coat& coat) {
  for (const double s : {-1.0, 1.0}) paint_coat(c, coat, [s](Canvas& k) { k.oval(32 + s * 16, 47, 6.5, 8.5); });
  sitting_body(c, coat);
  c.oval(32, 54, 8, 8.4).fill(rgb(0xffe9c8));
  for (const double s : {-1.0, 1.0}) {
    paint_coat(c, coat, [s](Canvas& k) { k.disc(32 + s * 12.5, 16, 6.6); });
    c.disc(32 + s * 12.5, 16, 3.4).fill(rgb(0xffd9b0));
  }
  paint_coat(c, coat, [](Canvas& k) { k.disc(32, 28, 15.5); });
  for (const double s : {-1.0, 1.0}) c.disc(32 + s * 6, 25.5, 2.1).fill(rgb(0x17171c));
  snout(c, 33.5, 6.8);
  c.line({{32, 47}, {32, 62}}).stroke(coat.line, 0.9);
}

void pot(Canvas& c, const Coat& coat) {
  for (const double s : {-1.0, 1.0})
    c.oval(32 + s * 18, 40, 6.5, 8).stroke(coat.line, 4.4), c.oval(32 + s * 18, 40, 6.5, 8).stroke(coat.main, 2.4);
  paint_coat(c, coat, [](Canvas& k) {
    k.curve({20, 24}, {6, 36}, {12, 62}, {24, 62}), cairo_line_to(k.cairo(), 40, 62);
    cairo_curve_to(k.cairo(), 52, 62, 58, 36, 44, 24), cairo_close_path(k.cairo());
  });
  c.oval(32, 23.5, 14.5, 4.6).fill_stroke(lighter(coat.main, 0.25), coat.line, 1.3),
      c.oval(32, 23.5, 11, 2.8).fill(rgb(0x2a2024));
}

void chair(Canvas& c, const Coat& coat) {
  for (const double x : {17.0, 44.0}) c.box(x, 48, 4, 17).fill_stroke(rgb(0x7a4a22), rgb(0x3a2210), 1);
  paint_coat(c, coat, [](Canvas& k) { k.round_box(17, 8, 30, 34, 5); });
  paint_coat(c, coat, [](Canvas& k) { k.round_box(12, 40, 40, 10, 4); });
  for (const double x : {9.0, 49.0}) c.round_box(x, 31, 6, 16, 3).fill_stroke(darker(coat.main, 0.3), coat.line, 1);
}

void sculpture(Canvas& c, const Coat& coat) {
  c.box(14, 54, 36, 12).fill_stroke(rgb(0xb9b3a8), rgb(0x5c574e), 1.2),
      c.box(18, 49, 28, 6).fill_stroke(rgb(0xd6d0c4), rgb(0x5c574e), 1);
  paint_coat(c, coat, [](Canvas& k) {
    k.curve({24, 50}, {8, 30}, {44, 34}, {24, 8}), cairo_curve_to(k.cairo(), 60, 14, 30, 32, 40, 50);
    cairo_close_path(k.cairo());
  });
  c.oval(33, 24, 4, 5).fill_stroke(rgb(0xf6f2ea), coat.line, 1.1);
}

void building(Canvas& c, const Coat& coat) {
  paint_coat(c, coat, [](Canvas& k) { k.box(14, 20, 36, 46); });
  c.polygon({{10, 21}, {32, 3}, {54, 21}}).fill_stroke(darker(coat.main, 0.4), coat.line, 1.2);
  for (const double y : {25.0, 38.0})
    for (const double x : {18.5, 39.0}) c.box(x, y, 7, 8).fill_stroke(rgb(0xfff0a8), rgb(0x4a3a28), 1.2);
  c.round_box(28, 50, 9, 16, 4).fill_stroke(rgb(0x6b3f1f), rgb(0x2f1a0c), 1.1), c.disc(32, 14.5, 3).fill(rgb(0xfff0a8));
}

void car(Canvas& c, const Coat& coat) {
  paint_coat(c, coat, [](Canvas& k) { k.polygon({{15, 40}, {21, 23}, {43, 23}, {50, 40}}); });
  c.polygon({{19.6, 38}, {23.5, 26}, {31, 26}, {31, 38}}).fill(rgb(0xcdeafc)),
      c.polygon({{34, 38}, {34, 26}, {41, 26}, {46, 38}}).fill(rgb(0xcdeafc));
  paint_coat(c, coat, [](Canvas& k) { k.round_box(4, 38, 56, 17, 6); });
  for (const double x : {17.0, 47.0}) c.disc(x, 56, 7.2).fill(rgb(0x1a1a1e)), c.disc(x, 56, 3).fill(rgb(0xc8ccd4));
  c.oval(7.5, 44, 2.4, 2.8).fill(rgb(0xfff0a0)), c.oval(57, 44, 1.8, 2.8).fill(rgb(0xff4a3a));
}

void clock(Canvas& c, const Coat& coat) {
  for (const double s : {-1.0, 1.0}) {
    c.line({{32 + s * 10, 54}, {32 + s * 15, 63}}).stroke(coat.line, 3.4);
    c.disc(32 + s * 12, 13, 6).fill_stroke(darker(coat.main, 0.3), coat.line, 1.2);
  }
  paint_coat(c, coat, [](Canvas& k) { k.disc(32, 36, 21.5); });
  c.disc(32, 36, 14.5).fill_stroke(rgb(0xfffdf4), coat.line, 1.2);
  for (int i = 0; i < 12; i += 3) {
    const double a = i * std::numbers::pi / 6;
    c.disc(32 + 12 * std::cos(a), 36 + 12 * std::sin(a), 1.1).fill(rgb(0x2a2a2e));
  }
  c.line({{32, 36}, {32, 26.5}}).stroke(rgb(0x1a1a1e), 1.9), c.line({{32, 36}, {39, 39}}).stroke(rgb(0xc22f2f), 1.7);
}

/// Where the ornament sits: beneath the chin, or on the front.
Point ornament_place(const Thing& thing) {
  constexpr std::array<Point, 12> places{{{32, 45},
                                          {32, 46},
                                          {32, 45},
                                          {20, 52},
                                          {22, 38},
                                          {32, 46},
                                          {32, 44},
                                          {32, 25},
                                          {32, 52},
                                          {32, 44},
                                          {32, 47},
                                          {32, 58}}};
  return places[thing.value[kind]];
}

void paint_ornament(Canvas& c, int which, Point p) {
  if (which == 1) {
    for (const double s : {-1.0, 1.0})
      c.polygon({{p.x, p.y}, {p.x + s * 7, p.y - 4.4}, {p.x + s * 7, p.y + 4.4}})
          .fill_stroke(rgb(0xe23a8e), rgb(0x6b1040), 1);
    c.disc(p.x, p.y, 2.2).fill(rgb(0xb81f6c));
  }
  if (which == 2) {
    for (int i = 0; i < 6; ++i) {
      const double a = i * std::numbers::pi / 3;
      c.disc(p.x + 3.6 * std::cos(a), p.y + 3.6 * std::sin(a), 2.4).fill(rgb(0xffffff));
    }
    c.disc(p.x, p.y, 2.6).fill(rgb(0xf5b700));
  }
  if (which == 3) {
    std::array<Point, 10> star;
    for (std::size_t i = 0; i < 10; ++i) {
      const double a = static_cast<double>(i) * std::numbers::pi / 5 - std::numbers::pi / 2, r = i % 2 ? 2.6 : 6.4;
      star[i] = {p.x + r * std::cos(a), p.y + r * std::sin(a)};
    }
    c.path(star, true).fill_stroke(rgb(0xffe14a), rgb(0x8a6a00), 0.9);
  }
}

}  // namespace

void paint_thing(Canvas& c, const Thing& thing, Dice& dice) {
  const Color main = cloth_color(thing[color]), second = cloth_color(thing.pattern_color());
  const Coat coat{main, second, thing[color] == 7 ? rgb(0x6a6a74) : darker(main, 0.55), thing[pattern]};
  constexpr std::array painters{cat, dog, panda, elephant, bird, bear, pot, chair, sculpture, building, car, clock};
  constexpr std::array<Point, 3> stretch{{{0.74, 0.74}, {0.78, 1}, {1.02, 0.8}}};
  const Point by = stretch[thing.value[build]];
  cairo_save(c.cairo());
  c.oval(32, 63, 22 * by.x, 2.6).fill(rgb(0x000000), 0.25);
  cairo_translate(c.cairo(), 32 + dice.uniform(-1.5, 1.5), 65), cairo_scale(c.cairo(), by.x, by.y),
      cairo_translate(c.cairo(), -32, -65);
  painters[thing.value[kind]](c, coat);
  paint_ornament(c, thing[ornament], ornament_place(thing));
  cairo_restore(c.cairo());
}

}  // namespace toyland
