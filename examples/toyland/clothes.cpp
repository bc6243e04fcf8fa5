#include "paint.hpp"

namespace toyland {
namespace {

constexpr double shoulder = 50;

/// Neck to lower edge: what every garment fills.
Canvas& torso(Canvas& c) {
  cairo_t* cairo = c.cairo();
  cairo_move_to(cairo, 3, 84), cairo_line_to(cairo, 3, 70), cairo_curve_to(cairo, 4, 56, 9, 52.5, 21, shoulder + 0.5);
  cairo_curve_to(cairo, 27, 53.5, 37, 53.5, 43, shoulder + 0.5), cairo_curve_to(cairo, 55, 52.5, 60, 56, 61, 70),
      cairo_line_to(cairo, 61, 84);
  return cairo_close_path(cairo), c;
}

void inside_torso(Canvas& c, auto&& paint) {
  cairo_save(c.cairo()), torso(c), cairo_clip(c.cairo());
  paint();
  cairo_restore(c.cairo());
}

}  // namespace

Color cloth_color(int index) {
  constexpr std::array colors{0xd92b2bu, 0xf4801fu, 0xf7cf2cu, 0x2a9d4bu, 0x2558d6u, 0x7d3cb5u, 0xf4f4f2u, 0x25252bu};
  return rgb(colors[static_cast<std::size_t>(index)]);
}

void paint_behind(Canvas& c, const Scene& scene) {
  if (scene.garment == Garment::spacesuit)
    c.disc(head_x, head_y + 1, 25.5).fill_stroke(rgb(0xbfe6ff), cloth_color(scene.garment_color), 3.2);
  if (scene.accessory == Accessory::backpack)
    c.round_box(5, 38, 54, 30, 9)
        .fill_stroke(cloth_color(scene.accessory_color), darker(cloth_color(scene.accessory_color), 0.35), 1.6);
  if (scene.garment == Garment::hoodie)
    c.round_box(15, 36, 34, 22, 10).fill(darker(cloth_color(scene.garment_color), 0.3));
}

void paint_garment(Canvas& c, const Scene& scene) {
  const Color cloth = cloth_color(scene.garment_color);
  const Color dark = scene.garment_color == 7 ? rgb(0x5a5a64) : darker(cloth, 0.3);
  torso(c).fill(cloth);
  switch (scene.garment) {
    case Garment::shirt:
      c.curve({21, 50.5}, {26, 55.5}, {38, 55.5}, {43, 50.5}).stroke(dark, 1.6);
      break;
    case Garment::striped:
      inside_torso(c, [&] {
        const Color stripe = scene.garment_color == 6 ? rgb(0x1f3f8f) : rgb(0xffffff);
        for (double y = 55; y < 66; y += 4.4) c.box(0, y, 64, 2.2).fill(stripe);
      });
      break;
    case Garment::sweater:
      c.round_box(22, 45.5, 20, 8.5, 3).fill_stroke(cloth, dark, 1.2);
      inside_torso(c, [&] {
        for (double x = 2; x < 64; x += 6)
          c.line({{x, 59.5}, {x + 3, 56.5}, {x + 6, 59.5}})
              .stroke(scene.garment_color == 6 ? rgb(0xd23b3b) : rgb(0xffffff), 1.5);
      });
      break;
    case Garment::hoodie:
      c.curve({19, 50}, {24, 58}, {40, 58}, {45, 50}).stroke(dark, 3);
      for (const double x : {27.5, 36.5})
        c.line({{x, 55}, {x, 61.5}}).stroke(scene.garment_color == 6 ? rgb(0x8a8a90) : rgb(0xffffff), 1.6);
      break;
    case Garment::suit:
      c.polygon({{23, 49.5}, {41, 49.5}, {32, 67}}).fill(rgb(0xffffff));
      c.polygon({{30, 52.5}, {34, 52.5}, {35, 66}, {29, 66}})
          .fill(scene.garment_color == 0 ? rgb(0x1d2a5a) : rgb(0xc21f2f));
      c.line({{22, 50}, {31, 66}}).stroke(dark, 2.2), c.line({{42, 50}, {33, 66}}).stroke(dark, 2.2);
      break;
    case Garment::spacesuit:
      c.round_box(16, 48.5, 32, 5, 2.4).fill_stroke(rgb(0xc8ccd4), rgb(0x70757f), 1);
      c.round_box(24, 56, 16, 9, 1.5).fill(rgb(0x70757f));
      c.disc(28, 60, 1.5).fill(rgb(0xff3b30)), c.disc(32, 60, 1.5).fill(rgb(0x35d05a)),
          c.disc(36, 60, 1.5).fill(rgb(0xffd23f));
      break;
    case Garment::count:
      break;
  }
}

void paint_headwear(Canvas& c, const Scene& scene) {
  const Color cloth = cloth_color(scene.accessory_color),
              band = scene.accessory_color == 7 ? rgb(0x8c8c95) : darker(cloth, 0.45);
  switch (scene.accessory) {
    case Accessory::hat:
      c.round_box(19, -3, 26, 17, 4).fill(cloth), c.box(19, 9.5, 26, 3).fill(band),
          c.oval(32, 14.2, 21, 2.9).fill(cloth);
      break;
    case Accessory::cap:
      c.curve({15, 17}, {14, 2}, {50, 2}, {49, 17}), cairo_close_path(c.cairo()), c.fill(cloth);
      c.round_box(30, 14.4, 30, 4.2, 2).fill(band), c.disc(32, 5.8, 1.4).fill(band);
      break;
    case Accessory::headphones:
      c.curve({14, 30}, {10, 0}, {54, 0}, {50, 30}).stroke(cloth, 3.4);
      for (const double x : {10.0, 47.0}) c.round_box(x, 23, 7, 13, 3).fill_stroke(cloth, band, 1.3);
      break;
    default:
      break;
  }
}

void paint_before(Canvas& c, const Scene& scene) {
  const Color cloth = cloth_color(scene.accessory_color),
              edge = scene.accessory_color == 7 ? rgb(0x7a7a84) : darker(cloth, 0.3);
  if (scene.accessory == Accessory::backpack)
    for (const double x : {15.0, 45.0})
      c.line({{x + 2, 51}, {x + (x < 32 ? 0 : 4), 66}}).stroke(edge, 5.6),
          c.line({{x + 2, 51}, {x + (x < 32 ? 0 : 4), 66}}).stroke(cloth, 3.8);
  if (scene.accessory == Accessory::scarf) {
    c.round_box(18, 45.8, 28, 7.6, 3.6).fill_stroke(cloth, edge, 1);
    c.round_box(37, 49, 7, 18, 2).fill_stroke(cloth, edge, 1);
  }
  switch (scene.prop) {
    case Prop::lego: {
      constexpr std::array bricks{0xe3000bu, 0xffd500u, 0x0057a8u, 0x00a03eu};
      for (int i = 0; i < 5; ++i) {
        const double x = 3 + i * 12.0;
        for (const double stud : {2.0, 6.5})
          c.box(x + stud, 54.6, 2.8, 2.4).fill(darker(rgb(bricks[static_cast<std::size_t>(i % 4)]), 0.15));
        c.box(x, 56.6, 11, 8).fill(rgb(bricks[static_cast<std::size_t>(i % 4)]));
      }
      break;
    }
    case Prop::cake:
      c.round_box(17, 54.5, 30, 12, 2).fill(rgb(0xf7a9c4)), c.box(17, 59, 30, 2.2).fill(rgb(0xffffff)),
          c.round_box(15, 62, 34, 4, 1).fill(rgb(0xe8eef2));
      for (const double x : {22.0, 28.7, 35.3, 42.0})
        c.box(x - 0.8, 49.5, 1.7, 5.4).fill(rgb(0x3a8de0)), c.oval(x, 48, 1.1, 1.7).fill(rgb(0xffb21f));
      break;
    case Prop::stove:
      c.round_box(44, 56, 15, 9, 1.5).fill(rgb(0x3d8a3f)), c.box(45, 53.6, 13, 2.6).fill(rgb(0x55585e));
      c.polygon({{47, 53.6}, {48.5, 47.5}, {51.5, 50.8}, {54, 46.8}, {56, 53.6}}).fill(rgb(0xff7a18)),
          c.polygon({{49.5, 53.6}, {51.6, 50.6}, {53.6, 53.6}}).fill(rgb(0xffe04a));
      break;
    case Prop::handshake:
      for (const double side : {-1.0, 1.0}) {
        c.line({{32 + side * 13, 61}, {32 + side * 2, 56}}).stroke(rgb(0x2b3a67), 4.6);
        c.line({{32 + side * 4, 56.6}, {32 - side * 1.5, 55.4}}).stroke(side < 0 ? rgb(0xf3bd92) : rgb(0xd09a62), 3.6);
      }
      break;
    default:
      break;
  }
}

}  // namespace toyland
