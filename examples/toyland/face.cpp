#include "paint.hpp"

namespace toyland {
namespace {

constexpr std::array skin_colors{0xfde3d3u, 0xf3bd92u, 0xd09a62u, 0x9a6239u, 0x5a3622u};
constexpr std::array hair_colors{0x1c1a20u, 0x6f4522u, 0xf0cb5au, 0xc8471bu, 0xa9adb5u, 0xf05aa8u, 0x2f57d8u};
constexpr std::array eye_colors{0x2f86e8u, 0x27994au, 0x7a4520u, 0x9a3fd0u};

Color skin_color(const Person& p) { return rgb(skin_colors[static_cast<std::size_t>(p[skin])]); }
Color hair_tint(const Person& p) { return rgb(hair_colors[static_cast<std::size_t>(p[hair_color])]); }

enum FaceShape { round_face, long_face, square_face, pointed_face };
enum Hair { bald, short_hair, long_hair, curly, spiky, mohawk, bun };

/// The outline of the face, `grow` pixels larger: the hair is cut from a larger one.
Canvas& outline(Canvas& c, const Person& p, double grow = 0) {
  switch (p[face]) {
    case long_face:
      return c.oval(head_x, head_y + 1, 12.9 + grow, 18.6 + grow);
    case square_face:
      return c.round_box(head_x - 14.8 - grow, head_y - 16 - grow, 29.6 + 2 * grow, 33 + 2 * grow, 6.5 + grow);
    case pointed_face: {
      cairo_t* cairo = c.cairo();
      const double w = 15.6 + grow, top = head_y - 16.5 - grow, chin = head_y + 19 + grow;
      cairo_move_to(cairo, head_x, top);
      cairo_curve_to(cairo, head_x + w * 1.15, top, head_x + w * 1.15, head_y + 3, head_x + 6.5, chin - 5);
      cairo_curve_to(cairo, head_x + 3.5, chin, head_x - 3.5, chin, head_x - 6.5, chin - 5);
      cairo_curve_to(cairo, head_x - w * 1.15, head_y + 3, head_x - w * 1.15, top, head_x, top);
      return c;
    }
    default:
      return c.oval(head_x, head_y, 16 + grow, 16.8 + grow);
  }
}

double half_width(const Person& p) { return std::array{15.6, 12.6, 14.6, 14.0}[static_cast<std::size_t>(p[face])]; }

void clip_outline(Canvas& c, const Person& p, double grow) { outline(c, p, grow), cairo_clip(c.cairo()); }

void paint_ears(Canvas& c, const Person& p) {
  const Color tone = darker(skin_color(p), 0.08), inner = darker(skin_color(p), 0.25);
  for (const double side : {-1.0, 1.0}) {
    const double x = head_x + side * half_width(p), y = head_y + 1;
    switch (p[ears]) {
      case 0:
        c.oval(x + side * 0.8, y, 2.2, 3.2).fill(tone);
        break;
      case 1:
        c.oval(x + side * 2.6, y, 4.6, 6).fill(tone), c.oval(x + side * 3, y, 2.3, 3.6).fill(inner);
        break;
      case 2:
        c.polygon({{x - side * 2, y - 4}, {x + side * 8, y - 9}, {x + side * 2.5, y + 4.5}, {x - side * 2, y + 4}})
            .fill(tone);
        c.polygon({{x, y - 2.5}, {x + side * 5.5, y - 6.5}, {x + side * 1.5, y + 2}}).fill(inner);
        break;
    }
    if (p[earrings]) {
      const double drop = y + (p[ears] == 1 ? 7.5 : 5.5), out = x + side * (p[ears] == 1 ? 3 : 1.8);
      if (p[earrings] == 1)
        c.disc(out, drop + 1, 2.3).stroke(rgb(0xf2b705), 1.7);
      else
        c.polygon({{out, drop - 1.8}, {out + 2.4, drop + 2}, {out, drop + 5.4}, {out - 2.4, drop + 2}})
            .fill(rgb(0x28b7f0));
    }
  }
}

void paint_fringe(Canvas& c, const Person& p) {
  const Color tint = hair_tint(p), shade = darker(tint, 0.22);
  cairo_t* cairo = c.cairo();
  const double top = p[face] == long_face ? -2 : 0;
  switch (p[hair]) {
    case bald:
      c.oval(head_x + 5, 17 + top, 3, 1.6).fill(rgb(0xffffff), 0.35);
      return;
    case short_hair:
    case bun:
      if (p[hair] == bun) c.disc(head_x, 8 + top, 6.2).fill(tint), c.oval(head_x, 13 + top, 6, 1.2).fill(shade);
      cairo_save(cairo), clip_outline(c, p, 1.6);
      c.curve({12, 8}, {12, 30}, {18, 17}, {32, 17.6 + top});
      cairo_curve_to(cairo, 46, 17, 52, 30, 52, 8), c.fill(tint);
      return cairo_restore(cairo);
    case long_hair:
      cairo_save(cairo), clip_outline(c, p, 2.4);
      c.polygon({{10, 4}, {32, 4}, {31, 13}, {22, 20}, {17, 34}, {10, 40}}).fill(tint);
      c.polygon({{54, 4}, {30, 4}, {31, 13}, {43, 20}, {47, 34}, {54, 40}}).fill(tint);
      c.line({{31.3, 9}, {31.3, 14}}).stroke(shade, 1);
      return cairo_restore(cairo);
    case curly:
      for (const Point b : {Point{-15, -5},
                            {-12, -11},
                            {-6, -14.5},
                            {0, -16},
                            {6, -14.5},
                            {12, -11},
                            {15, -5},
                            {-8, -10},
                            {8, -10},
                            {0, -12}})
        c.disc(head_x + b.x, head_y + b.y + top, 5).fill(tint);
      for (const Point b : {Point{-12, -11}, {-4, -14}, {5, -13}, {12, -9}})
        c.disc(head_x + b.x, head_y + b.y + top, 2.4).stroke(shade, 1);
      return;
    case spiky:
      c.polygon({{17, 23},
                 {11.5, 12},
                 {19, 13.5},
                 {18, 3},
                 {26, 9.5},
                 {32, 0.5},
                 {38, 9.5},
                 {46, 3},
                 {45, 13.5},
                 {52.5, 12},
                 {47, 23},
                 {43, 16.5},
                 {38, 19},
                 {32, 16},
                 {26, 19},
                 {21, 16.5}})
          .fill(tint);
      return;
    case mohawk:
      c.polygon({{27, 18 + top},
                 {25, 5},
                 {27.5, 7},
                 {28.5, 0.5},
                 {31, 4},
                 {33, -0.5},
                 {35, 4},
                 {37.5, 1},
                 {37, 7},
                 {39, 6},
                 {37, 18 + top}})
          .fill(tint);
      return;
  }
}

void paint_beard(Canvas& c, const Person& p) {
  const Color tint = darker(hair_tint(p), 0.12);
  cairo_t* cairo = c.cairo();
  if (p[beard] == 2) {
    cairo_save(cairo), clip_outline(c, p, 1.6);
    c.curve({head_x - 20, head_y + 3}, {head_x - 10, head_y + 6}, {head_x - 10, head_y + 7}, {head_x, head_y + 7});
    cairo_curve_to(cairo, head_x + 10, head_y + 7, head_x + 10, head_y + 6, head_x + 20, head_y + 3);
    cairo_line_to(cairo, head_x + 20, 64), cairo_line_to(cairo, head_x - 20, 64), c.fill(tint);
    cairo_restore(cairo);
  }
  if (p[beard] == 1 || p[beard] == 3) {
    const double y = head_y + 7.2;
    c.curve({head_x, y - 0.8}, {head_x + 4, y - 2.2}, {head_x + 8, y - 1}, {head_x + 10, y + 2.6});
    cairo_curve_to(cairo, head_x + 6, y + 2.6, head_x + 3, y + 2.6, head_x, y + 1.2);
    cairo_curve_to(cairo, head_x - 3, y + 2.6, head_x - 6, y + 2.6, head_x - 10, y + 2.6);
    cairo_curve_to(cairo, head_x - 8, y - 1, head_x - 4, y - 2.2, head_x, y - 0.8);
    if (p[beard] == 1)
      c.fill(tint);
    else
      cairo_new_path(cairo);
  }
  if (p[beard] == 3)
    c.polygon({{head_x - 5, head_y + 13.4},
               {head_x + 5, head_y + 13.4},
               {head_x + 3.4, head_y + 20},
               {head_x, head_y + 22.5},
               {head_x - 3.4, head_y + 20}})
        .fill(tint);
}

void paint_marks(Canvas& c, const Person& p) {
  const Color tone = skin_color(p);
  if (p[mark] == 1)
    for (const double side : {-1.0, 1.0})
      for (const Point d : {Point{6, 4.5}, {9, 4}, {11.4, 5}, {7.4, 6.8}, {10, 7}})
        c.disc(head_x + side * d.x, head_y + d.y, 0.85)
            .fill(p[skin] == 4 ? rgb(0x2a140a) : darker(rgb(0xa2501f), p[skin] * 0.14));
  if (p[mark] == 2)
    for (const double side : {-1.0, 1.0})
      c.oval(head_x + side * 9.2, head_y + 6, 3.6, 2.5).fill(mix(tone, rgb(0xff2f62), 0.55));
  if (p[mark] == 3) {
    c.line({{head_x + 6.4, head_y + 4}, {head_x + 11.4, head_y + 9.4}}).stroke(mix(tone, rgb(0x8f0f1f), 0.75), 1.5);
    for (const double t : {0.25, 0.75})
      c.line({{head_x + 7.8 + 5 * t, head_y + 3 + 5.4 * t}, {head_x + 5 + 5 * t, head_y + 5.2 + 5.4 * t}})
          .stroke(mix(tone, rgb(0x8f0f1f), 0.75), 1.1);
  }
}

void paint_nose(Canvas& c, const Person& p) {
  const Color line = darker(skin_color(p), p[skin] == 4 ? 0.45 : 0.28);
  switch (p[nose]) {
    case 0:
      c.curve({head_x - 2.2, head_y + 3.6}, {head_x - 1.4, head_y + 5.8}, {head_x + 1.4, head_y + 5.8},
              {head_x + 2.2, head_y + 3.6})
          .stroke(darker(line, 0.3), 2);
      break;
    case 1:
      c.oval(head_x, head_y + 3.4, 4, 3.2).fill(darker(mix(skin_color(p), rgb(0xe05a4a), 0.22), 0.1)),
          c.oval(head_x - 1, head_y + 2.4, 1.2, 0.8).fill(rgb(0xffffff), 0.4);
      break;
    case 2:
      c.polygon({{head_x - 0.3, head_y - 4.5}, {head_x + 3, head_y + 5.2}, {head_x - 3, head_y + 5.2}}).fill(line);
      break;
  }
}

void paint_mouth(Canvas& c, const Person& p, Expression expression) {
  const Color lip =
      std::array{darker(mix(skin_color(p), rgb(0x7a2a22), 0.55), 0.25), mix(skin_color(p), rgb(0xe2717c), 0.75),
                 rgb(0xd40f26)}[static_cast<std::size_t>(p[lips])];
  const double width = p[lips] == 0 ? 1.5 : p[lips] == 1 ? 3.1 : 2.6, y = head_y + 11.4, w = 5.4;
  cairo_t* cairo = c.cairo();
  switch (expression) {
    case Expression::happy:
      c.curve({head_x - 6.4, y - 1.6}, {head_x - 4, y + 5.4}, {head_x + 4, y + 5.4}, {head_x + 6.4, y - 1.6}),
          cairo_close_path(cairo);
      return c.fill_stroke(rgb(0xffffff), lip, width * 0.75);
    case Expression::sad:
      return c.curve({head_x - w, y + 2.4}, {head_x - 2.6, y - 2.6}, {head_x + 2.6, y - 2.6}, {head_x + w, y + 2.4})
          .stroke(lip, width);
    case Expression::angry:
      c.round_box(head_x - w, y - 1.8, 2 * w, 4, 1.4).fill_stroke(rgb(0xffffff), lip, width * 0.75);
      for (const double dx : {-2.2, 0.0, 2.2})
        c.line({{head_x + dx, y - 1.2}, {head_x + dx, y + 1.6}}).stroke(rgb(0x9a9a9a), 0.7);
      return;
    case Expression::puzzled:
      return c.oval(head_x + 2, y + 0.6, 2.2, 2.5).fill_stroke(rgb(0x4a1216), lip, width * 0.75);
    default:
      return c.curve({head_x - w, y}, {head_x - 2, y + 0.9}, {head_x + 2, y + 0.9}, {head_x + w, y}).stroke(lip, width);
  }
}

void paint_eyes(Canvas& c, const Person& p, Expression expression) {
  const Color iris = rgb(eye_colors[static_cast<std::size_t>(p[eyes])]);
  for (const double side : {-1.0, 1.0}) {
    const double x = head_x + side * 6.8, y = head_y - 2.2;
    const double wide = p[lids] == 0 ? 1.12 : p[lids] == 1 ? 0.62 : 1;
    const double open = wide * (expression == Expression::angry ? 3.3 : expression == Expression::happy ? 3.7 : 4.1);
    cairo_save(c.cairo());
    c.oval(x, y, 4.9, open).fill_stroke(rgb(0xffffff), rgb(0x2a2022), 0.7);
    c.oval(x, y, 4.9, open), cairo_clip(c.cairo());
    const double look = expression == Expression::puzzled ? 1.2 : 0, down = expression == Expression::sad       ? 0.7
                                                                            : expression == Expression::puzzled ? -0.7
                                                                                                                : 0;
    c.disc(x + look, y + down, 2.75).fill(iris), c.disc(x + look, y + down, 1.25).fill(rgb(0x08080c)),
        c.disc(x + look - 0.9, y + down - 1, 0.6).fill(rgb(0xffffff));
    if (p[lids] == 2)
      c.box(x - 6, y - 6, 12, 5.4).fill(darker(skin_color(p), 0.22)),
          c.line({{x - 5, y - 0.6}, {x + 5, y - 0.6}}).stroke(rgb(0x2a2022), 1);
    cairo_restore(c.cairo());
  }
}

void paint_brows(Canvas& c, const Person& p, Expression expression) {
  const Color tint = darker(hair_tint(p), p[hair_color] == 0 ? 0 : 0.25);
  const double width = p[brows] == 1 ? 3.1 : 1.35, arch = p[brows] == 2 ? 3.6 : 0.5;
  for (const double side : {-1.0, 1.0}) {
    double inner = head_y - 8.4, outer = head_y - 8.4;
    if (expression == Expression::angry) inner += 2.4, outer -= 1.6;
    if (expression == Expression::sad) inner -= 2.0, outer += 1.4;
    if (expression == Expression::puzzled && side > 0) inner -= 2.6, outer -= 2.6;
    if (expression == Expression::happy) inner -= 0.8, outer -= 0.8;
    c.curve({head_x + side * 2.8, inner}, {head_x + side * 5.6, inner - arch}, {head_x + side * 8.4, outer - arch},
            {head_x + side * 11.2, outer})
        .stroke(tint, width);
  }
}

void paint_glasses(Canvas& c, const Person& p) {
  const double y = head_y - 2.2;
  if (p[glasses] == 1 || p[glasses] == 2) {
    const Color frame = p[glasses] == 1 ? rgb(0x17171c) : rgb(0xd81f2a);
    for (const double side : {-1.0, 1.0}) {
      if (p[glasses] == 1)
        c.disc(head_x + side * 6.9, y, 6).stroke(frame, 1.7);
      else
        c.round_box(head_x + side * 7 - 5.9, y - 5, 11.8, 10, 0.8).stroke(frame, 1.9);
      c.line({{head_x + side * 13, y - 1}, {head_x + side * half_width(p), y - 2}}).stroke(frame, 1.3);
    }
    c.line({{head_x - 1.1, y - 0.6}, {head_x + 1.1, y - 0.6}}).stroke(frame, 1.7);
  }
  if (p[glasses] == 3) {
    c.line({{head_x - half_width(p), y - 8}, {head_x + half_width(p), y + 1}}).stroke(rgb(0x141416), 1.5);
    c.round_box(head_x - 12.6, y - 4.9, 11.4, 9.6, 3.4).fill(rgb(0x141416));
  }
}

}  // namespace

void paint_hair_behind(Canvas& c, const Person& p) {
  const Color tint = darker(hair_tint(p), 0.12);
  if (p[hair] == long_hair)
    c.round_box(head_x - half_width(p) - 4.5, head_y - 19.5, 2 * half_width(p) + 9, 45, 14).fill(tint);
  if (p[hair] == curly)
    for (const Point b : {Point{-17, 0}, {17, 0}, {-17, 7}, {17, 7}, {-14, -9}, {14, -9}, {0, -14}})
      c.disc(head_x + b.x * half_width(p) / 15.2, head_y + b.y, 6).fill(tint);
}

void paint_neck(Canvas& c, const Person& p) {
  c.round_box(head_x - 6.5, head_y + 10, 13, 18, 4).fill(darker(skin_color(p), 0.17));
}

void paint_head(Canvas& c, const Person& p, Expression expression) {
  paint_ears(c, p);
  outline(c, p).fill(skin_color(p));
  cairo_save(c.cairo()), clip_outline(c, p, 0);
  c.oval(head_x + 19, head_y + 4, 7.5, 26).fill(darker(skin_color(p), 0.4), 0.22);
  cairo_restore(c.cairo());
  paint_marks(c, p), paint_beard(c, p), paint_mouth(c, p, expression);
  paint_eyes(c, p, expression), paint_nose(c, p), paint_fringe(c, p), paint_brows(c, p, expression),
      paint_glasses(c, p);
}

}  // namespace toyland
