#include "support/catch.hpp"
#include "support/folder.hpp"
#include "support/images.hpp"

#include <persona/data/read_photos.hpp>

#include <filesystem>
#include <fstream>
#include <string>

namespace fs = std::filesystem;
using namespace persona::test;
using Catch::Contains;

namespace {
void put(const Folder& folder, const std::string& from, const std::string& name) {
  fs::copy_file(image_folder() / from, folder / name);
}
void write(const Folder& folder, const std::string& name, const std::string& text) {
  std::ofstream(folder / name) << text;
}
}  // namespace

TEST_CASE("A folder's photos come sorted by name, with captions, and what cannot be read is named") {
  const Folder folder;
  put(folder, "good/exif6.jpg", "b.jpg");
  put(folder, "good/rgb.png", "a.png");
  put(folder, "good/png_inside.jpg", "c.JPG");
  put(folder, "good/grey.png", "no_ending");
  put(folder, "bad/truncated.png", "d.png");
  put(folder, "bad/picture.heic", "e.heic");
  put(folder, "bad/empty.png", "f.png");
  put(folder, "bad/bomb.png", "g.png");
  put(folder, "good/rgb.png", ".hidden.png");
  write(folder, ".DS_Store", "x");
  write(folder, "notes.md", "x");
  write(folder, "b.txt", "  a photo of <ada>, laughing\n");
  fs::create_directory(folder / ".ipynb_checkpoints");
  fs::create_directory(folder / "more.png");
  fs::create_symlink("nowhere", folder / "broken.png");

  const auto photos = persona::photos(folder.path());
  REQUIRE(photos.size() == 4);
  CHECK(photos[0].name == "a.png");
  CHECK(photos[1].name == "b.jpg");
  CHECK(photos[2].name == "c.JPG");
  CHECK(photos[3].name == "no_ending");
  CHECK(photos[1].image.width == 16);  // turned upright
  CHECK(photos[0].image == photos[2].image);
  CHECK_FALSE(photos[0].caption);
  CHECK(photos[1].caption == "a photo of <ada>, laughing");

  REQUIRE(photos.skipped.size() == 4);
  CHECK_THAT(photos.skipped[0], Contains("d.png") && Contains("ends too early"));
  CHECK_THAT(photos.skipped[1], Contains("e.heic") && Contains("is a HEIC") && Contains("save it as PNG or JPEG"));
  CHECK_THAT(photos.skipped[2], Contains("f.png") && Contains("is empty"));
  CHECK_THAT(photos.skipped[3], Contains("g.png") && Contains("30000 x 30000"));
}

TEST_CASE("One file is a folder of one") {
  const auto photos = persona::photos(image_folder() / "good" / "rgb.png");
  REQUIRE(photos.size() == 1);
  CHECK(photos[0].name == "rgb.png");
  CHECK_THROWS_WITH(persona::photos(image_folder() / "bad" / "truncated.png"), Contains("truncated.png"));
}

TEST_CASE("A folder without one photo says what lies there") {
  const Folder folder;
  CHECK_THROWS_WITH(persona::photos(folder.path()), Contains("it is empty"));
  CHECK_THROWS_WITH(persona::photos(folder / "none"), Contains("none") && Contains("is not there"));
  write(folder, "notes.md", "x");
  put(folder, "bad/page.jpg", "page.jpg");
  CHECK_THROWS_WITH(persona::photos(folder.path()),
                    Contains("page.jpg: is no picture") && Contains("notes.md: no picture"));
  for (int i = 0; i < 12; ++i) write(folder, "text" + std::to_string(i), "x");
  CHECK_THROWS_WITH(persona::photos(folder.path()), Contains("and 3 more"));
}

TEST_CASE("A caption file without a caption costs the photo, by name") {
  const Folder folder;
  put(folder, "good/rgb.png", "a.png");
  put(folder, "good/rgb.png", "b.png");
  write(folder, "a.txt", "  \n");
  const auto photos = persona::photos(folder.path());
  REQUIRE(photos.size() == 1);
  REQUIRE(photos.skipped.size() == 1);
  CHECK_THAT(photos.skipped[0], Contains("a.txt") && Contains("empty"));
}

TEST_CASE("Alpha can be laid over a background") {
  const auto file = image_folder() / "good" / "rgba.png";
  CHECK(persona::photos(file, {.background = {{255, 255, 255}}})[0].image ==
        persona::read_png(file, {.background = {{255, 255, 255}}}));
}
