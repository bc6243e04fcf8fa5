#include "paint.hpp"

#include <png.h>

#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>

namespace toyland {

Scene random_scene(Dice& dice, double styled) {
  Scene scene;
  scene.expression = static_cast<Expression>(dice.chance(0.4) ? 0 : 1 + dice.below(count_of<Expression> - 1));
  scene.place = static_cast<Place>(dice.chance(0.1) ? 0 : 1 + dice.below(count_of<Place> - 1));
  scene.garment = dice.chance(0.1) ? Garment::spacesuit : static_cast<Garment>(dice.below(count_of<Garment> - 1));
  scene.garment_color = dice.below(static_cast<int>(color_names.size()));
  scene.accessory = static_cast<Accessory>(dice.chance(0.6) ? 0 : 1 + dice.below(count_of<Accessory> - 1));
  scene.accessory_color = dice.below(static_cast<int>(color_names.size()));
  scene.prop = static_cast<Prop>(dice.chance(0.85) ? 0 : 1 + dice.below(count_of<Prop> - 2));  // hands need a second
  scene.style = static_cast<Style>(dice.chance(1 - styled) ? 0 : 1 + dice.below(count_of<Style> - 1));
  scene.seed = dice.next();
  if (scene.garment == Garment::spacesuit && scene.accessory != Accessory::backpack) scene.accessory = Accessory::none;
  return scene;
}

namespace {

void paint(Canvas& canvas, const Person& person, const Scene& scene) {
  paint_behind(canvas, scene);
  paint_hair_behind(canvas, person);
  paint_neck(canvas, person);
  paint_garment(canvas, scene);
  paint_head(canvas, person, scene.expression);
  paint_headwear(canvas, scene);
  paint_before(canvas, scene);
}

void paint(Canvas& canvas, const Thing& thing, const Scene& scene) {
  Dice pose(scene.seed, "pose");
  paint_thing(canvas, thing, pose);
}

void paint(Canvas& canvas, const Motif& motif, const Scene& scene) {
  std::visit([&](const auto& one) { paint(canvas, one, scene); }, motif);
}

/// The place, then what `paint` draws a little off its spot, then the style.
template <class Paint>
Picture picture_of(const Scene& scene, Paint&& paint) {
  const std::unique_ptr<cairo_surface_t, void (*)(cairo_surface_t*)> surface(
      cairo_image_surface_create(CAIRO_FORMAT_RGB24, image_size, image_size), cairo_surface_destroy);
  const std::unique_ptr<cairo_t, void (*)(cairo_t*)> cairo(cairo_create(surface.get()), cairo_destroy);
  Canvas canvas(cairo.get());
  Dice chance(scene.seed, "place");
  paint_place(canvas, scene.place, chance);
  cairo_translate(cairo.get(), chance.uniform(-0.8, 0.8), chance.uniform(-0.6, 0.8));
  paint(canvas);

  cairo_surface_flush(surface.get());
  Picture picture;
  const unsigned char* rows = cairo_image_surface_get_data(surface.get());
  const int stride = cairo_image_surface_get_stride(surface.get());
  for (int y = 0; y < image_size; ++y)
    for (int x = 0; x < image_size; ++x) {
      const auto pixel = *reinterpret_cast<const std::uint32_t*>(rows + y * stride + 4 * x);
      for (int c = 0; c < 3; ++c)
        picture[static_cast<std::size_t>((y * image_size + x) * 3 + c)] =
            static_cast<std::uint8_t>(pixel >> (16 - 8 * c));
    }
  Dice brush(scene.seed, "style");
  apply_style(picture, scene.style, brush);
  return picture;
}

}  // namespace

Picture render(const Motif& motif, const Scene& scene) {
  return picture_of(scene, [&](Canvas& canvas) { paint(canvas, motif, scene); });
}

Picture render(const Motif& left, const Motif& right, const Scene& scene) {
  return picture_of(scene, [&](Canvas& canvas) {
    Scene theirs = scene;
    theirs.prop = Prop::none, theirs.accessory = Accessory::none;
    for (const bool second : {false, true}) {
      if (second) theirs.garment_color = scene.accessory_color;
      cairo_save(canvas.cairo());
      cairo_translate(canvas.cairo(), (second ? right_head_x : left_head_x) - pair_scale * head_x,
                      pair_head_y - pair_scale * head_y);
      cairo_scale(canvas.cairo(), pair_scale, pair_scale);
      paint(canvas, second ? right : left, theirs);
      cairo_restore(canvas.cairo());
    }
    Scene before = scene;
    before.accessory = Accessory::none;
    paint_before(canvas, before);
  });
}

void write_png(const char* path, std::span<const std::uint8_t> rgb, int width, int height) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width), image.height = static_cast<png_uint_32>(height);
  image.format = PNG_FORMAT_RGB;
  if (!png_image_write_to_file(&image, path, 0, rgb.data(), 0, nullptr))
    throw std::runtime_error(std::string(path) + ": " + image.message);
}

}  // namespace toyland
