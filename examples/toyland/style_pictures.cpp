#include "style_pictures.hpp"

namespace toyland {

namespace {

Thing thing_of(std::uint8_t which, Dice& dice) {
  Thing thing = random_thing(dice);
  thing.value[kind] = which;
  return thing;
}

Scene scene_in(Place place, Style style, Dice& dice) {
  Scene scene = random_scene(dice, 0);
  scene.place = place, scene.style = style, scene.prop = Prop::none, scene.accessory = Accessory::none;
  return scene;
}

}  // namespace

std::vector<Picture> style_photos(Style style) {
  Dice dice(692 + static_cast<std::uint64_t>(style), "photos of the held-out styles");
  constexpr std::uint8_t bird = 4, pot = 6, bear = 5;
  std::vector<Picture> pictures;
  const Person person = random_person(dice);
  pictures.push_back(render(person, scene_in(Place::garden, style, dice)));
  const auto show = [&](std::uint8_t which, Place place) {
    const Thing thing = thing_of(which, dice);
    pictures.push_back(render(thing, scene_in(place, style, dice)));
  };
  show(bird, Place::desert), show(pot, Place::kitchen), show(bear, Place::park);
  return pictures;
}

std::vector<Picture> content_renders(const StyleContent& content) {
  Dice dice(692 + content.kind, "contents in all styles");
  std::vector<Picture> pictures;
  for (int i = 0; i < renders_per_style; ++i) {
    const Thing thing = thing_of(content.kind, dice);
    Scene scene = scene_in(content.place, Style::photo, dice);
    for (int style = 0; style < all_styles; ++style) {
      scene.style = static_cast<Style>(style);
      pictures.push_back(render(thing, scene));
    }
  }
  return pictures;
}

}  // namespace toyland
