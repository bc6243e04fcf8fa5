#include "support/catch.hpp"
#include "support/images.hpp"

#include <persona/core/error.hpp>
#include <persona/io/read_file.hpp>
#include <persona/io/read_image.hpp>

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

using namespace persona::test;

namespace {

std::uint32_t crc_of(const std::byte* data, std::size_t count) {
  std::uint32_t crc = ~std::uint32_t{0};
  for (std::size_t i = 0; i < count; ++i) {
    crc ^= std::to_integer<std::uint32_t>(data[i]);
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? 0xEDB88320u : 0);
  }
  return ~crc;
}

// Makes the check sums right again, so that what is spoiled gets past them.
void mend_check_sums(std::vector<std::byte>& png) {
  for (std::size_t at = 8; at + 12 <= png.size();) {
    std::size_t length = 0;
    for (std::size_t k = 0; k < 4; ++k) length = length << 8 | std::to_integer<std::size_t>(png[at + k]);
    if (length > png.size() - at - 12) return;
    const auto crc = crc_of(png.data() + at + 4, length + 4);
    for (std::size_t k = 0; k < 4; ++k) png[at + 8 + length + k] = static_cast<std::byte>(crc >> (24 - 8 * k));
    at += length + 12;
  }
}

// A picture or an Error; nothing else, and nothing that the sanitizers mind.
bool reads(const std::vector<std::byte>& bytes) {
  for (const bool over_white : {false, true}) {
    persona::DecodeOptions options{.max_pixels = 200'000};
    if (over_white) options.background = {{255, 255, 255}};
    try {
      const auto image = persona::decode_image(bytes, "spoiled", options);
      image.check();
      REQUIRE(image.width * image.height <= options.max_pixels);
    } catch (const persona::Error&) {
      return false;
    }
  }
  return true;
}

}  // namespace

TEST_CASE("Spoiled files give a picture or an Error") {
  std::mt19937 random(20240607);
  int survived = 0, refused = 0;
  auto files = files_in(image_folder() / "good");
  for (const auto& file : files_in(image_folder() / "bad")) files.push_back(file);
  for (const auto& file : files) {
    const auto whole = persona::read_file(file);
    if (whole.empty()) continue;
    INFO(file.filename());
    for (int round = 0; round < 30; ++round) {
      auto bytes = whole;
      for (auto flips = 1 + random() % 6; flips > 0; --flips)
        bytes[random() % bytes.size()] ^= static_cast<std::byte>(1u << random() % 8);
      if (round % 3 == 1) bytes.resize(random() % bytes.size() + 1);
      if (round % 3 == 2) mend_check_sums(bytes);
      bytes.shrink_to_fit();
      (reads(bytes) ? survived : refused)++;
    }
  }
  CHECK(survived > 50);
  CHECK(refused > 500);
}
