#pragma once

#include <persona/core/error.hpp>
#include <persona/core/hash.hpp>
#include <persona/core/random.hpp>
#include <persona/core/tensor.hpp>
#include <persona/core/warning.hpp>
#include <persona/io/safetensors.hpp>
#include <persona/param/thin_svd.hpp>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace persona {

/// The decompositions of a base model's weights in a folder, one file a weight (svd/HASH.safetensors, fp32), keyed by a
/// hash of the weight and verified when they are read.
class SvdCache {
 public:
  /// In a folder, which is made when it is needed; an empty path keeps nothing.
  explicit SvdCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// The thin SVD of a matrix [m, n], in its dtype (fp32 for narrower ones), on its device. A file that does not give
  /// the matrix back is computed anew and replaced; where none can be written there is a warning.
  ThinSvd get(const Tensor& matrix) const {
    const auto dtype = matrix.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
    if (folder_.empty() || dtype == at::kDouble) return in(thin_svd(matrix), matrix.device(), dtype);
    const auto key = persona::hash_tensor(matrix);
    const auto file = folder_ / "svd" / (hexadecimal(key) + ".safetensors");
    if (auto kept = read(file, matrix, key)) return in(*kept, matrix.device(), dtype);
    const auto made = in(thin_svd(matrix), at::kCPU, dtype);
    try {
      std::filesystem::create_directories(file.parent_path());
      write_safetensors(file, {{"u", made.u}, {"s", made.s}, {"vt", made.vt}},
                        {{"format", "pt"}, {"persona.kind", "svd"}, {"persona.hash", hash_of(made)}});
    } catch (const std::exception& error) {
      warn_once(folder_, error.what());
    }
    return in(made, matrix.device(), dtype);
  }

 private:
  // A model has hundreds of weights, and one word says it of all.
  static void warn_once(const std::filesystem::path& folder, const std::string& what) {
    static std::mutex mutex;
    static std::set<std::filesystem::path> told;
    const std::lock_guard lock(mutex);
    if (told.insert(folder).second) warn("SvdCache", what, "decompositions are computed again in the next run");
  }
  static std::string hexadecimal(std::uint64_t value) {
    char text[17];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(value));
    return text;
  }
  static std::string hash_of(const ThinSvd& svd) {
    return hexadecimal(persona::hash_tensor(svd.vt, persona::hash_tensor(svd.s, persona::hash_tensor(svd.u))));
  }
  static ThinSvd in(const ThinSvd& svd, at::Device device, at::ScalarType dtype) {
    return {svd.u.to(device, dtype).contiguous(), svd.s.to(device, dtype), svd.vt.to(device, dtype).contiguous()};
  }
  // A spoiled file is known by its hash; one of other weights by the product on a few random vectors, which is compared
  // with the matrix's.
  static std::optional<ThinSvd> read(const std::filesystem::path& file, const Tensor& matrix, std::uint64_t key) {
    if (!std::filesystem::exists(file)) return std::nullopt;
    try {
      const auto source = SafeTensors::open(file);
      ThinSvd svd{source.load("u"), source.load("s"), source.load("vt")};
      const auto m = matrix.size(0), n = matrix.size(1), r = std::min(m, n);
      if (svd.u.sizes() != at::IntArrayRef{m, r} || svd.s.sizes() != at::IntArrayRef{r} ||
          svd.vt.sizes() != at::IntArrayRef{r, n})
        return std::nullopt;
      for (const Tensor& part : {svd.u, svd.s, svd.vt})
        if (part.scalar_type() != at::kFloat) return std::nullopt;
      const auto told = source.metadata().find("persona.hash");
      if (told == source.metadata().end() || told->second != hash_of(svd)) return std::nullopt;
      const auto x = at::randn({n, 4}, Random(key).at(Stream::initialization), at::TensorOptions().dtype(at::kFloat));
      const auto expected = matrix.detach().to(at::kCPU, at::kFloat).matmul(x);
      const auto off = (svd.u.matmul(svd.s.unsqueeze(1) * svd.vt.matmul(x)) - expected).norm();
      if (!(off <= 1e-4 * expected.norm()).item<bool>()) return std::nullopt;
      return svd;
    } catch (const Error&) {
      return std::nullopt;
    }
  }

  std::filesystem::path folder_;
};

}  // namespace persona
