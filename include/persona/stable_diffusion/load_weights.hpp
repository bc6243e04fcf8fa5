#pragma once

#include <persona/core/error.hpp>
#include <persona/core/shape.hpp>
#include <persona/core/tensor.hpp>
#include <persona/core/weight.hpp>
#include <persona/io/utf8.hpp>
#include <persona/stable_diffusion/weights_file.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace persona {

/// What a tensor in a file is in a module: all of a weight, or one of several weights whose rows it holds in turn.
struct TensorName {
  std::string name{};                ///< of the weight
  std::int64_t part = 0, parts = 1;  ///< which of how many equal parts of the stored rows
};

/// The weights in a module that a tensor in a file holds; none: known, and of no use.
using RenameTensor = std::function<std::vector<TensorName>(const std::string& stored)>;

namespace detail {

/// Files of transformers 5 may leave out the prefix; older ones carry a table of positions.
inline std::vector<TensorName> rename_text_tensor(const std::string& stored) {
  const auto name = stored.starts_with("text_model.") ? stored : "text_model." + stored;
  if (name == "text_model.embeddings.position_ids") return {};
  return {{.name = name}};
}

/// The VAE's attention had other names in folders written before 2023.
inline std::vector<TensorName> rename_vae_tensor(const std::string& stored) {
  static constexpr std::pair<std::string_view, std::string_view> older[] = {
      {".query.", ".to_q."}, {".key.", ".to_k."}, {".value.", ".to_v."}, {".proj_attn.", ".to_out.0."}};
  auto name = stored;
  if (stored.find("mid_block.attentions.") != std::string::npos)
    for (const auto& [before, now] : older)
      if (const auto at = name.find(before); at != std::string::npos) {
        name.replace(at, before.size(), now);
        break;
      }
  return {{.name = name}};
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

/// A weight's place: a stored tensor, or a part of its rows.
struct StoredAt {
  std::string stored{};
  std::int64_t part = 0, parts = 1;
};

/// A square matrix may be stored as a 1x1 convolution, as the VAE's attention once was.
inline bool fits(at::IntArrayRef wanted, std::vector<std::int64_t> found, std::int64_t parts = 1) {
  if (!found.empty() && found[0] % parts == 0) found[0] /= parts;
  if (wanted == found) return true;
  return wanted.size() == 2 && found.size() == 4 && found[2] == 1 && found[3] == 1 &&
         at::IntArrayRef(found).slice(0, 2) == wanted;
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
    return detail::printable(files.prefix() + stored) + (files.sharded() ? " in " + files.file_name(stored) : "");
  };
  std::map<std::string, detail::StoredAt> stored_as;
  for (const auto& [stored, place] : files.places())
    for (const auto& [name, part, parts] : rename ? rename(stored) : std::vector<TensorName>{{.name = stored}})
      if (const auto [known, fresh] = stored_as.emplace(name, detail::StoredAt{stored, part, parts}); !fresh)
        twice.add(shown(stored) + " beside " + shown(known->second.stored));
  std::size_t used = 0;
  for_each_weight(module, [&](const std::string& name, const Weight& weight) {
    const auto found = stored_as.find(name);
    if (found == stored_as.end()) return missing.add(name + " " + shape_string(weight.base.sizes()));
    ++used;
    const auto& [stored, part, parts] = found->second;
    const auto& info = files.info(stored);
    if (!detail::fits(weight.base.sizes(), info.shape, parts))
      misshapen.add(shown(stored) + " expected " + shape_string(weight.base.sizes()) +
                    (parts > 1 ? ", " + std::to_string(parts) + " in turn" : "") + ", found " +
                    shape_string(info.shape));
    else if (info.dtype != "F32" && info.dtype != "F16" && info.dtype != "BF16" && info.dtype != "F64")
      misshapen.add(shown(stored) + " expected F32, F16 or BF16, found " + std::string(info.dtype));
  });
  if (used < stored_as.size()) {
    auto unused = stored_as;
    for_each_weight(module, [&](const std::string& name, const Weight&) { unused.erase(name); });
    for (const auto& [name, place] : unused)
      extra.add(shown(place.stored) + " " + shape_string(files.info(place.stored).shape));
  }
  if (!missing.empty() || !extra.empty() || !misshapen.empty() || !twice.empty())
    throw Error(files.name(),
                "its tensors are not those of " +
                    (files.prefix().empty() ? std::string("config.json beside it")
                                            : "a model of the kind that '" + files.prefix() + "...' shows") +
                    ":" + missing.text("missing") + extra.text("extra") + misshapen.text("of another shape or dtype") +
                    twice.text("under two names"),
                files.prefix().empty() ? "are config and weights of the same model?" : "is the file whole?");
  for_each_weight(module, [&](const std::string& name, Weight& weight) {
    const auto shape = weight.base.sizes().vec();
    const auto& [stored, part, parts] = stored_as.at(name);
    auto tensor = files.load(stored);
    if (parts > 1) tensor = tensor.chunk(parts)[static_cast<std::size_t>(part)].clone();
    weight.base = tensor.reshape(shape).to(device, dtype);
  });
}

}  // namespace persona
