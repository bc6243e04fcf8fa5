#pragma once

#include <persona/core/error.hpp>
#include <persona/core/shape.hpp>
#include <persona/io/likely_model.hpp>
#include <persona/learned/learned.hpp>
#include <persona/model/attachment.hpp>
#include <persona/model/diffusion_model.hpp>
#include <persona/text/placeholder.hpp>
#include <persona/text/row_set.hpp>

#include <concepts>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace persona {

namespace detail {
/// The weights that a model lends, by full name.
template <class Model>
std::map<std::string, WeightRef> lent_weights(Model& model) {
  std::map<std::string, WeightRef> refs;
  const auto collect = [&](auto& host, const char* name) {
    for (WeightRef ref : host.weights()) {
      ref.host = name;
      refs.emplace(ref.full_name(), ref);
    }
  };
  if constexpr (HasTextEncoderWeights<Model>) collect(model.text_encoder(), "text_encoder");
  if constexpr (HasDenoiserWeights<Model>) collect(model.denoiser(), "unet");
  return refs;
}

/// Hangs changes on the weights of a model that lends them, those of one weight together. What a file's change became
/// is kept in `weights`: decomposing a weight takes longer than drawing with it.
template <class Model>
std::vector<Attachment> attach_changes(Model& model, std::vector<LearnedWeight>& weights) {
  const auto refs = lent_weights(model);
  std::map<std::string, Attachment> changed;  // one a weight: its changes add up
  for (LearnedWeight& weight : weights) {
    const auto found = refs.find(weight.name);
    if (found == refs.end())
      throw Error("with", "the model has no weight '" + weight.name + "'",
                  "was this learned on another kind of model?");
    auto& attachment = changed.try_emplace(weight.name, found->second).first->second;
    weight.change = weight.on(found->second), weight.learned_on = found->second.base.options();
    weight.file = {}, weight.make = {};
    std::visit([&](const auto& change) { attachment.add(change); }, weight.change);
  }
  const at::NoGradGuard no_grad;  // a value, not something to train
  std::vector<Attachment> attachments;
  for (auto& [name, attachment] : changed) {
    attachment.refresh();
    attachments.push_back(std::move(attachment));
  }
  return attachments;
}

/// Rows by layer of a file are on the CPU: their answers on the device of the model that reads them.
inline std::function<RowSet(const RowQuery&)> answering_on(at::Device device,
                                                           std::function<RowSet(const RowQuery&)> layered) {
  return [device, layered = std::move(layered)](const RowQuery& query) {
    RowSet set = layered(query);
    for (Tensor* part : {&set.rows, &set.bypass, &set.bypass_scales})
      if (part->defined()) *part = part->to(device);
    return set;
  };
}

/// Throws Error unless rows by layer fit the model's denoiser, the token's vectors and the width of its table; asks
/// them once.
template <class Model>
void expect_layered_rows_fit(const Model& model, const LearnedRows& row) {
  const std::string where = "with: '" + row.token + "'";
  if constexpr (!LayeredDenoiser<denoiser_t<Model>>) {
    throw Error(where, "its rows differ by cross-attention layer, and this model's denoiser reads one set for all",
                "give it predict(x, t, Conditioning) and num_conditioned_layers() (LayeredDenoiser)");
  } else {
    const std::int64_t layers = model.denoiser().num_conditioned_layers();
    if (row.stored.layers > 0 && row.stored.layers != layers)
      throw Error(where,
                  "its rows are for " + std::to_string(row.stored.layers) +
                      " cross-attention layers; this model's denoiser has " + std::to_string(layers),
                  "rows by layer fit the kind of model that they were learned on");
    const at::NoGradGuard no_grad;
    const auto table = model.text_encoder().embedding_table();
    const auto t = at::zeros({1}, table.options().dtype(at::kLong));
    const RowSet set = row.layered({.t = t, .layer = 0, .num_layers = layers});
    const auto of_one = [](const Tensor& part) { return part.defined() && part.dim() == 3 ? part[0] : part; };
    expect_shape(of_one(set.rows), {{row.vectors(), "vectors"}, {table.size(1), "D"}}, where + ": rows of a layer",
                 "rows fit the base model that they were learned on, and its fine-tunes");
    if (set.bypass.defined())
      expect_shape(of_one(set.bypass), {{row.vectors(), "vectors"}, "D"}, where + ": bypass of a layer",
                   "one direction a vector");
  }
}
}  // namespace detail

/// A model that knows learned tokens.
template <class M>
concept HasLearnedRows = requires(const M& model) {
  { model.learned_rows() } -> std::same_as<const std::vector<LearnedRows>&>;
};

/// A model with learned things in it: itself a diffusion model, that also knows its learned tokens. Shares every base
/// tensor with the model that it came from, which stays as it was.
template <DiffusionModel Model>
class Personalized {
 public:
  Personalized(const Model& model, const Learned& learned) : base_(std::make_shared<const Model>(model)) {
    add(learned);
  }

  decltype(auto) tokenizer() const { return model().tokenizer(); }
  decltype(auto) text_encoder() const { return model().text_encoder(); }
  decltype(auto) denoiser() const { return model().denoiser(); }
  decltype(auto) scheduler() const { return model().scheduler(); }
  LatentShape latent_shape() const { return model().latent_shape(); }
  decltype(auto) autoencoder() const
    requires LatentDiffusionModel<Model>
  {
    return model().autoencoder();
  }
  decltype(auto) sampler(std::string_view name) const
    requires requires(const Model& m, std::string_view n) { m.sampler(n); }
  {
    return model().sampler(name);
  }

  /// The learned tokens, in the order in which their rows are joined.
  const std::vector<LearnedRows>& learned_rows() const { return rows_; }
  std::vector<Placeholder> placeholders() const {
    std::vector<Placeholder> list;
    for (const LearnedRows& row : rows_) list.push_back({.token = row.token, .vectors = row.vectors()});
    return list;
  }

  /// The same with one more learned thing; a token that is there already throws Error.
  Personalized with(const Learned& learned) const {
    Personalized more = *this;
    more.add(learned);
    return more;
  }

 private:
  // One owner for both: the attachments let go of the model before it is gone, also when this is assigned to.
  struct Held {
    explicit Held(const Model& base) : model(base) {}
    Model model;
    std::vector<Attachment> attachments{};
  };

  const Model& model() const { return held_->model; }

  void add(const Learned& learned) {
    const auto table = base_->text_encoder().embedding_table();
    for (LearnedRows row : learned.rows) {
      for (const LearnedRows& other : rows_)
        if (other.token == row.token)
          throw Error("with", "the token '" + row.token + "' is learned already", "learn it under another token");
      expect_shape(row.rows, {"vectors", "D"}, "with: '" + row.token + "'");
      if (row.rows.size(1) != table.size(1))
        throw Error("with: '" + row.token + "'",
                    "its rows are " + width_shown(row.rows.size(1)) + "; this model's text encoder is " +
                        width_shown(table.size(1)),
                    "rows fit the base model that they were learned on, and its fine-tunes");
      row.rows = row.rows.to(table.device());
      if (row.layered) {
        row.layered = detail::answering_on(table.device(), std::move(row.layered));
        detail::expect_layered_rows_fit(*base_, row);
      }
      rows_.push_back(std::move(row));
    }
    weights_.insert(weights_.end(), learned.weights.begin(), learned.weights.end());
    if (!held_ || !learned.weights.empty()) attach();
  }

  // All changes on a model of its own: a copy of a changed one would not know what its weights began as.
  void attach() {
    held_ = std::make_shared<Held>(*base_);
    held_->attachments = detail::attach_changes(held_->model, weights_);
  }

  std::shared_ptr<const Model> base_;
  std::shared_ptr<Held> held_;
  std::vector<LearnedWeight> weights_{};
  std::vector<LearnedRows> rows_{};
};

/// A model with what was learned in it; `model.with(learned)` where the model offers that.
template <DiffusionModel Model>
Personalized<Model> personalized(const Model& model, const Learned& learned) {
  return {model, learned};
}
/// On a model that has learned already: both.
template <DiffusionModel Model>
Personalized<Model> personalized(const Personalized<Model>& model, const Learned& learned) {
  return model.with(learned);
}

}  // namespace persona
