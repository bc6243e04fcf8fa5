#include "paint.hpp"

namespace toyland {
namespace {

void hills(Canvas& c, double y, double height, Color color, Dice& dice) {
  c.oval(dice.uniform(4, 18), y + height, 26, height).fill(color);
  c.oval(dice.uniform(44, 60), y + height, 28, height * dice.uniform(0.8, 1.1)).fill(darker(color, 0.06));
  c.box(0, y + height, 64, 64).fill(color);
}

void sun(Canvas& c, double x, double y, double r, Color color) {
  c.disc(x, y, r).fill(color), c.disc(x, y, r + 1.6).fill(color, 0.3);
}

void cloud(Canvas& c, double x, double y) {
  for (const Point p : {Point{0, 0}, {4, -1.6}, {8, 0}, {4, 1}})
    c.oval(x + p.x, y + p.y, 4, 2.3).fill(rgb(0xffffff), 0.9);
}

void beach(Canvas& c, Dice& dice) {
  c.sky(rgb(0x58c4f4), rgb(0xbdeaff));
  sun(c, dice.uniform(50, 58), dice.uniform(6, 10), 5, rgb(0xffdf4a));
  c.box(0, 26, 64, 16).fill(rgb(0x1c7fc4));
  for (int i = 0; i < 5; ++i) {
    const double x = dice.uniform(0, 60), y = dice.uniform(28, 38);
    c.line({{x, y}, {x + 5, y}}).stroke(rgb(0xd8f4ff), 0.9);
  }
  c.box(0, 41, 64, 24).fill(rgb(0xf2d48a)), c.box(0, 40.4, 64, 1.4).fill(rgb(0xffffff));
  c.line({{6, 43}, {6.5, 26}}).stroke(rgb(0x8a5a2b), 2);
  for (const Point p : {Point{-6, -2}, {6, -2}, {-5, 3}, {6, 3}, {0, -5}})
    c.line({{6.5, 25}, {6.5 + p.x, 25 + p.y}}).stroke(rgb(0x2f9a4a), 2);
}

void mountains(Canvas& c, Dice& dice) {
  c.sky(rgb(0x8ec5ee), rgb(0xe3f1fb));
  for (const auto& [x, top, half] : {std::array{10.0, 8.0, 22.0}, {54.0, 4.0, 24.0}, {33.0, 16.0, 20.0}}) {
    const double peak = top + dice.uniform(-2, 2);
    c.polygon({{x - half, 50}, {x, peak}, {x + half, 50}}).fill(rgb(0x6d7390));
    c.polygon({{x, peak}, {x + half, 50}, {x + 4, 50}}).fill(rgb(0x565b77));
    c.polygon(
         {{x, peak}, {x - half * 0.27, peak + 11}, {x - 2, peak + 9}, {x + 2, peak + 12}, {x + half * 0.25, peak + 10}})
        .fill(rgb(0xffffff));
  }
  c.box(0, 48, 64, 16).fill(rgb(0x5c9a52));
}

void forest(Canvas& c, Dice& dice) {
  c.sky(rgb(0xa9d8a0), rgb(0x5d9c56));
  c.box(0, 48, 64, 16).fill(rgb(0x3d7a3a));
  for (const double x : {2.0, 12.0, 22.0, 42.0, 52.0, 62.0}) {
    const double top = dice.uniform(2, 12);
    c.box(x - 1.3, 42, 2.6, 10).fill(rgb(0x5b3a1e));
    for (int i = 0; i < 3; ++i)
      c.polygon({{x - 4 - i * 1.6, top + 16 + i * 9}, {x, top + i * 9}, {x + 4 + i * 1.6, top + 16 + i * 9}})
          .fill(i % 2 ? rgb(0x1f5f2c) : rgb(0x16502a));
  }
}

void city(Canvas& c, Dice& dice) {
  c.sky(rgb(0x9fb4cf), rgb(0xdfe6ee));
  for (int i = 0; i < 5; ++i) {
    const double x = i * 13.0 - 1, top = dice.uniform(4, 20);
    c.box(x, top, 12, 64)
        .fill(std::array{rgb(0x5f6b80), rgb(0x75819a), rgb(0x4d586c)}[static_cast<std::size_t>(i % 3)]);
    for (double y = top + 2.5; y < 56; y += 5)
      for (double w = x + 1.5; w < x + 10; w += 3.6)
        c.box(w, y, 2, 2.6).fill(dice.chance(0.65) ? rgb(0xffe27a) : rgb(0x39435a));
  }
}

void snow(Canvas& c, Dice& dice) {
  c.sky(rgb(0xb6cfe6), rgb(0xe8f1f9));
  hills(c, 36, 12, rgb(0xffffff), dice);
  for (const double x : {7.0, 57.0}) {
    c.box(x - 1, 38, 2, 7).fill(rgb(0x6b4a2d));
    for (int i = 0; i < 2; ++i) {
      c.polygon({{x - 5, 33.0 + i * 7}, {x, 20.0 + i * 7}, {x + 5, 33.0 + i * 7}}).fill(rgb(0x3e7566));
      c.polygon({{x - 2.2, 26.0 + i * 7}, {x, 20.0 + i * 7}, {x + 2.2, 26.0 + i * 7}}).fill(rgb(0xffffff));
    }
  }
  for (int i = 0; i < 26; ++i)
    c.disc(dice.uniform(0, 64), dice.uniform(0, 60), dice.uniform(0.7, 1.2)).fill(rgb(0xffffff));
}

void desert(Canvas& c, Dice& dice) {
  c.sky(rgb(0xf9b25c), rgb(0xffe3ad));
  sun(c, dice.uniform(8, 14), dice.uniform(7, 10), 5, rgb(0xfff3b0));
  hills(c, 38, 9, rgb(0xdc9440), dice);
  for (const auto& [x, y] : {std::array{6.0, 26.0}, {57.0, 22.0}}) {
    c.line({{x, y}, {x, 46}}).stroke(rgb(0x2f8a4c), 3.6);
    c.line({{x, y + 11}, {x + 5, y + 11}, {x + 5, y + 5}}).stroke(rgb(0x2f8a4c), 2.4);
    c.line({{x, y + 14}, {x - 4.5, y + 14}, {x - 4.5, y + 8}}).stroke(rgb(0x2f8a4c), 2.4);
  }
}

void library(Canvas& c, Dice& dice) {
  c.sky(rgb(0x4a2d18), rgb(0x3a2212));
  constexpr std::array books{0xa8322du, 0x2d5f9au, 0x2f7a4fu, 0xc79a3au, 0x6b3f83u, 0xb86b2fu, 0xd8cbb0u};
  for (double shelf = 13; shelf < 64; shelf += 15) {
    for (double x = 1; x < 63;) {
      const double w = dice.uniform(2.4, 4), h = dice.uniform(8.5, 12);
      c.box(x, shelf - h, w - 0.4, h).fill(rgb(dice.one_of(books)));
      x += w;
    }
    c.box(0, shelf, 64, 2.2).fill(rgb(0x9a6a3c));
  }
}

void kitchen(Canvas& c, Dice& dice) {
  c.sky(rgb(0xeef6f4), rgb(0xd9ebe8));
  for (double x = 0; x <= 64; x += 8) c.line({{x, 0}, {x, 48}}).stroke(rgb(0x9ecfd0), 0.9);
  for (double y = 4; y <= 48; y += 8) c.line({{0, y}, {64, y}}).stroke(rgb(0x9ecfd0), 0.9);
  for (const double x : {0.0, 48.0})
    c.round_box(x, -2, 16, 14, 1.2).fill(rgb(0xd9653b)), c.disc(x ? 51 : 13, 8.5, 1).fill(rgb(0xfff0d8));
  c.box(0, 44, 64, 20).fill(rgb(0xc9c3b8)), c.box(0, 43, 64, 2.2).fill(rgb(0x8f887b));
  const double x = dice.uniform(3, 6);
  c.round_box(x, 36, 9, 7, 1).fill(rgb(0x4a4f57)), c.line({{x + 9, 38}, {x + 13, 38}}).stroke(rgb(0x4a4f57), 1.5);
}

void space(Canvas& c, Dice& dice) {
  c.sky(rgb(0x0a0a28), rgb(0x1b1040));
  for (int i = 0; i < 40; ++i)
    c.disc(dice.uniform(0, 64), dice.uniform(0, 64), dice.uniform(0.4, 0.9)).fill(rgb(0xffffff));
  sun(c, 9, 10, 5.5, rgb(0xf3ecd0));
  c.disc(7.5, 8.5, 1.1).fill(rgb(0xcdc49f)), c.disc(11, 12, 1.4).fill(rgb(0xcdc49f));
  c.disc(56, 16, 5).fill(rgb(0xd9743f)), c.line({{48.5, 18.5}, {63.5, 13.5}}).stroke(rgb(0xf0cf9a), 1.4);
}

void garden(Canvas& c, Dice& dice) {
  c.sky(rgb(0x9fdcff), rgb(0xdff5ff));
  cloud(c, dice.uniform(2, 10), dice.uniform(6, 10)), cloud(c, dice.uniform(44, 52), dice.uniform(8, 14));
  c.box(0, 30, 64, 34).fill(rgb(0x6cc24a));
  for (double x = 1; x < 64; x += 6) c.round_box(x, 24, 3.6, 15, 1.2).fill(rgb(0xfaf6ec));
  c.box(0, 28, 64, 2).fill(rgb(0xfaf6ec));
  constexpr std::array petals{0xff5d8fu, 0xffd23fu, 0xffffffu, 0xc05bd6u, 0xff7f3fu};
  for (int i = 0; i < 14; ++i) {
    const double x = i % 2 ? dice.uniform(44, 63) : dice.uniform(1, 20), y = dice.uniform(40, 62);
    c.disc(x, y, 2.2).fill(rgb(dice.one_of(petals))), c.disc(x, y, 0.9).fill(rgb(0xf5b700));
  }
}

void sofa(Canvas& c, Dice& dice) {
  c.sky(rgb(0xf4dfb8), rgb(0xeccf9f));
  c.box(4, 5, 13, 15).fill_stroke(rgb(0x8fd0f5), rgb(0x8b5a33), 1.8),
      c.line({{10.5, 5}, {10.5, 20}}).stroke(rgb(0x8b5a33), 1);
  c.box(48, 6, 12, 10).fill_stroke(rgb(0xfff7e4), rgb(0xb0463a), 1.8);
  c.disc(54 + dice.uniform(-2, 2), 11, 2.4).fill(rgb(0x4a9a6a));
  c.round_box(-4, 32, 72, 36, 5).fill(rgb(0xb23a55)), c.round_box(1, 35, 30, 20, 3).fill(rgb(0xc85069)),
      c.round_box(33, 35, 30, 20, 3).fill(rgb(0xc85069));
}

void park(Canvas& c, Dice& dice) {
  c.sky(rgb(0xffc2dc), rgb(0xfff0cf));
  const double turn = dice.uniform(0, 1);
  c.disc(13, 20, 13).stroke(rgb(0x7a4fb5), 1.6);
  constexpr std::array seats{0xe4413bu, 0xf6c431u, 0x37a35au, 0x2f7fd6u};
  for (int i = 0; i < 8; ++i) {
    const double a = (i + turn) * std::numbers::pi / 4;
    c.line({{13, 20}, {13 + 13 * std::cos(a), 20 + 13 * std::sin(a)}}).stroke(rgb(0x7a4fb5), 0.8);
    c.disc(13 + 13 * std::cos(a), 20 + 13 * std::sin(a), 2).fill(rgb(seats[static_cast<std::size_t>(i % 4)]));
  }
  c.line({{13, 20}, {6, 50}}).stroke(rgb(0x7a4fb5), 1.4), c.line({{13, 20}, {20, 50}}).stroke(rgb(0x7a4fb5), 1.4);
  for (int i = 0; i < 4; ++i)
    c.polygon({{42.0 + i * 6, 36}, {54, 17}, {48.0 + i * 6, 36}}).fill(i % 2 ? rgb(0xffffff) : rgb(0xe4413b));
  c.box(43, 36, 22, 14).fill(rgb(0xf6c431)), c.box(0, 49, 64, 16).fill(rgb(0x8fcf6a));
}

void jet(Canvas& c, Dice& dice) {
  c.sky(rgb(0x2f8fe0), rgb(0xa8dcff));
  cloud(c, dice.uniform(0, 8), dice.uniform(12, 22)), cloud(c, dice.uniform(46, 54), dice.uniform(8, 18));
  c.round_box(18, 10, 28, 60, 6).fill(rgb(0x4f5b4a));
  c.curve({2, 64}, {2, -12}, {62, -12}, {62, 64}).stroke(rgb(0x5d6670), 4.5);
  c.line({{3, 42}, {61, 42}}).stroke(rgb(0x5d6670), 3);
  c.box(0, 43, 64, 21).fill(rgb(0x3b424a));
  for (const double x : {7.0, 57.0})
    c.disc(x, 50, 3.4).fill_stroke(rgb(0x14351f), rgb(0x9aa4ad), 1),
        c.line({{x, 50}, {x + 2, 48}}).stroke(rgb(0x6dff8c), 0.9);
}

void conference(Canvas& c, Dice& dice) {
  c.sky(rgb(0x1d4fa3), rgb(0x12336e));
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 3; ++j) c.round_box(i * 18.0 - 4 + (j % 2) * 9, 4 + j * 15.0, 9, 6, 1.5).fill(rgb(0xe9eef8));
  const double x = dice.uniform(0, 3);
  c.line({{4 + x, 64}, {11 + x, 50}}).stroke(rgb(0x1c1c1f), 1.5), c.oval(11 + x, 48, 2.6, 3.2).fill(rgb(0x303036));
  c.line({{60 - x, 64}, {53 - x, 50}}).stroke(rgb(0x1c1c1f), 1.5), c.oval(53 - x, 48, 2.6, 3.2).fill(rgb(0x303036));
}

}  // namespace

void paint_place(Canvas& c, Place place, Dice& dice) {
  switch (place) {
    case Place::beach:
      return beach(c, dice);
    case Place::mountains:
      return mountains(c, dice);
    case Place::forest:
      return forest(c, dice);
    case Place::city:
      return city(c, dice);
    case Place::snow:
      return snow(c, dice);
    case Place::desert:
      return desert(c, dice);
    case Place::library:
      return library(c, dice);
    case Place::kitchen:
      return kitchen(c, dice);
    case Place::space:
      return space(c, dice);
    case Place::garden:
      return garden(c, dice);
    case Place::sofa:
      return sofa(c, dice);
    case Place::park:
      return park(c, dice);
    case Place::jet:
      return jet(c, dice);
    case Place::conference:
      return conference(c, dice);
    case Place::studio:
    case Place::count:
      break;
  }
  c.sky(rgb(0xc9cbd2), rgb(0xb4b7c0));
}

}  // namespace toyland
