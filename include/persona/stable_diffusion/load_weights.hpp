#pragma once

#include <persona/core/error.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>
#include <persona/core/weight.hpp>
#include <persona/io/utf8.hpp>
#include <persona/stable_diffusion/weights_file.hpp>

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace persona {

/// The name in a module of a tensor in a file; empty: known, and of no use.
using RenameTensor = std::function<std::string(const std::string& stored)>;

namespace detail {

/// Files of transformers 5 may leave out the prefix; older ones carry a table of positions.
inline std::string rename_text_tensor(const std::string& stored) {
  const auto name = stored.starts_with("text_model.") ? stored : "text_model." + stored;
  return name == "text_model.embeddings.position_ids" ? "" : name;
}

/// The VAE's attention had other names in folders written before 2023.
inline std::string rename_vae_tensor(const std::string& stored) {
  static constexpr std::pair<std::string_view, std::string_view> older[] = {
      {".query.", ".to_q."}, {".key.", ".to_k."}, {".value.", ".to_v."}, {".proj_attn.", ".to_out.0."}};
  if (stored.find("mid_block.attentions.") == std::string::npos) return stored;
  for (const auto& [before, now] : older)
    if (const auto at = stored.find(before); at != std::string::npos)
      return std::string(stored).replace(at, before.size(), now);
  return stored;
}

// Up to ten of them, and how many there are.
class Complaints {
 public:
  void add(const std::string& one) {
    if (count_++ < 10) list_ += (list_.empty() ? "" : ", ") + one;
  }
  bool empty() const { return count_ == 0; }
  std::string text(const std::string& kind) const {
    if (empty()) return {};
    return "\n  " + std::to_string(count_) + " " + kind + ": " + list_ + (count_ > 10 ? ", ..." : "");
  }

 private:
  std::size_t count_ = 0;
  std::string list_;
};

/// A square matrix may be stored as a 1x1 convolution, as the VAE's attention once was.
inline bool fits(at::IntArrayRef wanted, at::IntArrayRef found) {
  if (wanted == found) return true;
  return wanted.size() == 2 && found.size() == 4 && found[2] == 1 && found[3] == 1 && found.slice(0, 2) == wanted;
}

}  // namespace detail

/// Gives every weight of a module its tensor, in `dtype` on `device`. Throws one Error that lists what is missing, what
/// the module does not have and what has another shape, each with file, key, expected and found; nothing is loaded
/// then.
template <class Module>
void load_weights(Module& module, const WeightsFile& files, at::Device device, at::ScalarType dtype,
                  const RenameTensor& rename = {}) {
  detail::Complaints missing, extra, misshapen, twice;
  const auto shown = [&](const std::string& stored) {
    return detail::printable(stored) + (files.sharded() ? " in " + files.file_name(stored) : "");
  };
  std::map<std::string, std::string> stored_as;
  for (const auto& [stored, place] : files.places()) {
    const auto name = rename ? rename(stored) : stored;
    if (name.empty()) continue;
    if (const auto [known, fresh] = stored_as.emplace(name, stored); !fresh)
      twice.add(shown(stored) + " beside " + shown(known->second));
  }
  std::size_t used = 0;
  for_each_weight(module, [&](const std::string& name, const Weight& weight) {
    const auto found = stored_as.find(name);
    if (found == stored_as.end()) return missing.add(name + " " + shape_string(weight.base.sizes()));
    ++used;
    const auto& info = files.info(found->second);
    if (!detail::fits(weight.base.sizes(), info.shape))
      misshapen.add(shown(found->second) + " expected " + shape_string(weight.base.sizes()) + ", found " +
                    shape_string(info.shape));
    else if (info.dtype != "F32" && info.dtype != "F16" && info.dtype != "BF16" && info.dtype != "F64")
      misshapen.add(shown(found->second) + " expected F32, F16 or BF16, found " + std::string(info.dtype));
  });
  if (used < stored_as.size()) {
    auto unused = stored_as;
    for_each_weight(module, [&](const std::string& name, const Weight&) { unused.erase(name); });
    for (const auto& [name, stored] : unused) extra.add(shown(stored) + " " + shape_string(files.info(stored).shape));
  }
  if (!missing.empty() || !extra.empty() || !misshapen.empty() || !twice.empty())
    throw Error(files.name(),
                "its tensors are not those of config.json beside it:" + missing.text("missing") + extra.text("extra") +
                    misshapen.text("of another shape or dtype") + twice.text("under two names"),
                "are config and weights of the same model?");
  for_each_weight(module, [&](const std::string& name, Weight& weight) {
    const auto shape = weight.base.sizes().vec();
    weight.base = files.load(stored_as.at(name)).reshape(shape).to(device, dtype);
  });
}

}  // namespace persona
