#pragma once
// How the maker draws: what the painters of places, faces and clothes share.

#include "canvas.hpp"
#include "world.hpp"

namespace toyland {

inline constexpr double head_x = 32, head_y = 29;
// Where two people's heads are, and how much smaller.
inline constexpr double left_head_x = 17.5, right_head_x = 46.5, pair_head_y = 32, pair_scale = 0.66;

Color cloth_color(int index);

void paint_place(Canvas& canvas, Place place, Dice& dice);
/// Behind the head: a backpack, a hood.
void paint_behind(Canvas& canvas, const Scene& scene);
void paint_hair_behind(Canvas& canvas, const Person& person);
void paint_neck(Canvas& canvas, const Person& person);
void paint_garment(Canvas& canvas, const Scene& scene);
void paint_head(Canvas& canvas, const Person& person, Expression expression);
/// On the head: hat, cap, headphones.
void paint_headwear(Canvas& canvas, const Scene& scene);
/// An animal or an object in the person's stead.
void paint_thing(Canvas& canvas, const Thing& thing, Dice& dice);
/// Before the body: scarf, straps, what lies on the table.
void paint_before(Canvas& canvas, const Scene& scene);

/// Repaints a finished picture in a style.
void apply_style(Picture& picture, Style style, Dice& dice);

}  // namespace toyland
