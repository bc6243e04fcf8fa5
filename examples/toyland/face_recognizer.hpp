#pragma once
// The face recogniser: a picture tower over the box where a head is.

#include "batches.hpp"
#include "vision.hpp"

#include <ATen/ops/upsample_bilinear2d.h>

namespace toyland {

/// Where in a picture a head is looked for: alone, or one of two.
enum class Seat { middle, left, right };

/// The head's box out of pictures [B, 3, 64, 64], brought to 64 x 64: heads are always in the same place.
inline persona::Tensor face_crop(const persona::Tensor& images, Seat seat) {
  const std::int64_t size = seat == Seat::middle ? 48 : 32;
  const std::int64_t x = seat == Seat::middle ? 8 : seat == Seat::left ? 2 : 30, y = seat == Seat::middle ? 3 : 14;
  const auto box = images.slice(2, y, y + size).slice(3, x, x + size);
  const std::array<std::int64_t, 2> whole{image_size, image_size};
  return at::upsample_bilinear2d(box, whole, false);
}

/// Faces -> 128 numbers, of which the direction says who it is.
struct FaceRecognizer {
  static constexpr std::int64_t width = 128;
  ConvTower tower{};

  static FaceRecognizer sized() { return {ConvTower({24, 48, 96, 128}, width)}; }
  template <class Self, class F>
  static void visit(Self& self, F&& f) {
    f("tower", self.tower);
  }
  /// Crops [B, 3, 64, 64] -> [B, width] of length one.
  persona::Tensor embed_faces(const persona::Tensor& crops) const {
    const auto wide = tower(crops).to(at::kFloat);
    return wide / at::linalg_vector_norm(wide, 2, {1}, true).clamp_min(1e-6);
  }
};

}  // namespace toyland
