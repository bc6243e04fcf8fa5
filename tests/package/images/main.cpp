#include <persona/io/png.hpp>

int main() {
  persona::Image image;
  image.width = image.height = 2;
  image.pixels.assign(12, 200);
  persona::write_png(image, "two.png");
  return persona::read_png("two.png").pixels == image.pixels ? 0 : 1;
}
