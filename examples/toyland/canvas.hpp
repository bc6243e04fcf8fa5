#pragma once

#include <cairo.h>

#include <cmath>
#include <initializer_list>
#include <numbers>
#include <span>

namespace toyland {

struct Color {
  double r = 0, g = 0, b = 0;
};

constexpr Color rgb(unsigned hex) {
  return {((hex >> 16) & 255) / 255.0, ((hex >> 8) & 255) / 255.0, (hex & 255) / 255.0};
}
constexpr Color mix(Color a, Color b, double t) {
  return {a.r + (b.r - a.r) * t, a.g + (b.g - a.g) * t, a.b + (b.b - a.b) * t};
}
constexpr Color darker(Color c, double t) { return mix(c, {}, t); }
constexpr Color lighter(Color c, double t) { return mix(c, {1, 1, 1}, t); }

struct Point {
  double x = 0, y = 0;
};

/// A few words over cairo: shapes are paths, filled or stroked at once.
class Canvas {
 public:
  explicit Canvas(cairo_t* cairo) : c_(cairo) {
    cairo_set_line_cap(c_, CAIRO_LINE_CAP_ROUND);
    cairo_set_line_join(c_, CAIRO_LINE_JOIN_ROUND);
  }
  cairo_t* cairo() const { return c_; }

  void fill(Color color, double alpha = 1) {
    cairo_set_source_rgba(c_, color.r, color.g, color.b, alpha), cairo_fill(c_);
  }
  void stroke(Color color, double width, double alpha = 1) {
    cairo_set_source_rgba(c_, color.r, color.g, color.b, alpha), cairo_set_line_width(c_, width), cairo_stroke(c_);
  }
  void fill_stroke(Color inside, Color line, double width) {
    cairo_set_source_rgb(c_, inside.r, inside.g, inside.b), cairo_fill_preserve(c_);
    stroke(line, width);
  }

  Canvas& box(double x, double y, double w, double h) { return cairo_rectangle(c_, x, y, w, h), *this; }
  Canvas& round_box(double x, double y, double w, double h, double r) {
    constexpr double q = std::numbers::pi / 2;
    cairo_new_sub_path(c_);
    cairo_arc(c_, x + w - r, y + r, r, -q, 0), cairo_arc(c_, x + w - r, y + h - r, r, 0, q);
    cairo_arc(c_, x + r, y + h - r, r, q, 2 * q), cairo_arc(c_, x + r, y + r, r, 2 * q, 3 * q);
    return cairo_close_path(c_), *this;
  }
  Canvas& oval(double x, double y, double rx, double ry) {
    cairo_save(c_), cairo_translate(c_, x, y), cairo_scale(c_, rx, ry);
    cairo_new_sub_path(c_), cairo_arc(c_, 0, 0, 1, 0, 2 * std::numbers::pi), cairo_close_path(c_);
    return cairo_restore(c_), *this;
  }
  Canvas& disc(double x, double y, double r) { return oval(x, y, r, r); }
  Canvas& polygon(std::initializer_list<Point> points) { return path({points.begin(), points.size()}, true); }
  Canvas& line(std::initializer_list<Point> points) { return path({points.begin(), points.size()}, false); }
  Canvas& path(std::span<const Point> points, bool closed) {
    cairo_new_sub_path(c_);
    for (const Point p : points) cairo_line_to(c_, p.x, p.y);
    if (closed) cairo_close_path(c_);
    return *this;
  }
  Canvas& curve(Point a, Point b, Point c, Point d) {
    return cairo_move_to(c_, a.x, a.y), cairo_curve_to(c_, b.x, b.y, c.x, c.y, d.x, d.y), *this;
  }

  /// Fills everything with a gradient from top to bottom.
  void sky(Color top, Color bottom) {
    cairo_pattern_t* gradient = cairo_pattern_create_linear(0, 0, 0, 64);
    cairo_pattern_add_color_stop_rgb(gradient, 0, top.r, top.g, top.b);
    cairo_pattern_add_color_stop_rgb(gradient, 1, bottom.r, bottom.g, bottom.b);
    cairo_set_source(c_, gradient), cairo_paint(c_), cairo_pattern_destroy(gradient);
  }

 private:
  cairo_t* c_;
};

}  // namespace toyland
