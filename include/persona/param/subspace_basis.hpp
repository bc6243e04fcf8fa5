#pragma once

#include <persona/core/describe.hpp>
#include <persona/core/error.hpp>
#include <persona/core/leaf.hpp>
#include <persona/core/role.hpp>
#include <persona/core/tensor.hpp>
#include <persona/core/weight.hpp>
#include <persona/data/bind_context.hpp>
#include <persona/param/basis_size.hpp>
#include <persona/param/row_pursuit.hpp>
#include <persona/param/row_span.hpp>
#include <persona/text/single_token.hpp>
#include <persona/text/tokenizer.hpp>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace persona {

/// By what vocabulary rows are near the initial row.
enum class BasisDistance {
  dot,     ///< largest u . e first (BaTex)
  cosine,  ///< largest cosine first; as the paper describes it, the published code selects other rows by mistake
  l2,      ///< smallest |u - e| first
  random   ///< any rows, by the run's seed (the published code's baseline)
};

inline std::string_view to_string(BasisDistance distance) {
  switch (distance) {
    case BasisDistance::dot: return "dot";
    case BasisDistance::cosine: return "cosine";
    case BasisDistance::l2: return "l2";
    case BasisDistance::random: return "random";
  }
  return "";
}

/// Which weight is 1 at the start.
enum class BasisStart {
  initial_row,  ///< that of the initial row itself (BaTex, Eq. 3)
  first  ///< the first in order of nearness, whatever word that is (the published code); u need not be among them
};

inline std::string_view to_string(BasisStart start) {
  switch (start) {
    case BasisStart::initial_row: return "initial_row";
    case BasisStart::first: return "first";
  }
  return "";
}

/// BaTex (Du et al.): v = sum_i w_i v_i over the M vocabulary rows nearest to the initial row u; only w is
/// trained. Rows are taken in order of nearness until there are M and their rank is at least d1 (Algorithm 1). Where u
/// is a row of the vocabulary, w starts one-hot at it; where it is not (CrossInit), w starts at the shortest weights
/// whose sum is u's projection on the basis.
///
/// .size = automatic takes other rows than the nearest, and no more than the photos need (this library's own): those
/// that a greedy search finds for the mean gradient of the first batches to lie in their span, but for a tenth;
/// distance and rank then have no say, and a word only has several rows share one basis.
struct SubspaceBasis {
  using plays = Plays<Role::row_parameterization>;
  BasisSize size = ratio(0.75);  ///< M; 576 of SD 1.5's 768 in the paper
  BasisDistance distance = BasisDistance::dot;
  std::int64_t rank = 0;        ///< d1; 0: M. The paper gives no number
  std::string word{};           ///< u is this word's row, whatever the rows start from; empty: each initial row
  bool special_tokens = false;  ///< start, end and padding may be among the basis, as in the published code
  BasisStart start = BasisStart::initial_row;
  bool decay_toward_start = false;  ///< weight decay pulls w to its start; else to zero (Algorithm 2)
  bool full = false;                ///< allow M >= D, where nothing is left out
  std::int64_t batches = 16;        ///< whose gradients an automatic size looks at

  /// Is the leaf of this name the weights w of some subject's basis.
  static bool is_weights(std::string_view leaf) {
    const auto end = leaf.find_last_not_of("0123456789");
    if (end != leaf.npos && end + 1 < leaf.size() && leaf[end] == '.') leaf = leaf.substr(0, end);
    return leaf.ends_with(".weights");
  }

  /// One basis [M, D] and its weights, of n rows that share it.
  struct Group {
    Leaf weights{};  ///< [n, M]
    Tensor basis{};
    std::vector<std::int64_t> ids{};
  };
  struct State {
    std::vector<Group> groups{};
    std::vector<Leaf> leaves() const {
      std::vector<Leaf> list;
      for (const Group& group : groups) list.push_back(group.weights);
      return list;
    }
    /// V w, [n, D].
    Tensor rows() const {
      std::vector<Tensor> parts;
      for (const Group& group : groups)
        parts.push_back(group.weights.value.matmul(as_compute(group.basis, group.weights.value)));
      return parts.size() == 1 ? parts.front() : at::cat(parts);
    }
  };

  /// rows [n, D] -> n x M weights. Throws Error where M is no subspace, or the vocabulary has not enough rows.
  template <class Model>
  State bind(const Tensor& rows, const Model& model, const BindContext& context) const {
    const at::NoGradGuard no_grad;
    const auto table = Tensor(model.text_encoder().embedding_table()).detach().to(at::kFloat);
    const auto starts = rows.detach().to(table.device(), at::kFloat);
    Tensor centre;
    if (!word.empty()) centre = table[single_token(model.tokenizer(), word, "SubspaceBasis")];
    const bool alike = (starts == starts[0]).all().template item<bool>();
    if (rank < 0)
      throw Error("SubspaceBasis", ".rank is " + std::to_string(rank), "1 or more, or 0 for as many as .size");
    Tensor gradients;  // [n, D]
    if (size.is_automatic() && (batches < 1 || !(size.value > 0 && size.value < 1)))
      throw Error("SubspaceBasis",
                  "an automatic size that captures " + std::to_string(size.value) + " of the gradients of " +
                      std::to_string(batches) + " batches",
                  "a share between 0 and 1, captures(0.9), and .batches of at least 1");
    if (size.is_automatic()) gradients = context.gradients(starts, batches, "SubspaceBasis").mean(0);
    const auto group_of = [&](std::string name, const Tensor& u, std::int64_t first, std::int64_t last) {
      const auto own = starts.slice(0, first, last);
      const auto ids = size.is_automatic() ? pursued(table, own, gradients.slice(0, first, last), model)
                                           : nearest(table, u, model, context);
      return group(std::move(name), table, ids, own);
    };
    State state;
    const auto n = starts.size(0);
    if (centre.defined() || alike) {
      state.groups.push_back(group_of("weights", centre.defined() ? centre : starts[0], 0, n));
    } else {
      for (std::int64_t i = 0; i < n; ++i)
        state.groups.push_back(group_of("weights." + std::to_string(i), starts[i], i, i + 1));
    }
    return state;
  }
  double default_learning_rate() const { return 2e-3; }
  std::int64_t default_steps() const { return 500; }
  Description describe() const {
    return {"SubspaceBasis",
            {{"size", size.text()},
             {"distance", distance},
             {"rank", rank},
             {"word", word},
             {"special_tokens", special_tokens},
             {"start", start},
             {"decay_toward_start", decay_toward_start},
             {"full", full},
             {"batches", size.is_automatic() ? batches : 0}}};
  }

 private:
  /// All ids, the nearest to u first.
  std::vector<std::int64_t> by_distance(const Tensor& table, const Tensor& u, const BindContext& context) const {
    Tensor key;
    switch (distance) {
      case BasisDistance::dot: key = table.matmul(u); break;
      case BasisDistance::cosine: key = table.matmul(u) / at::linalg_vector_norm(table, 2, {1}).clamp_min(1e-12); break;
      case BasisDistance::l2: key = -at::linalg_vector_norm(table - u, 2, {1}); break;
      case BasisDistance::random: key = at::rand({table.size(0)}, context.generator()); break;
    }
    const auto order = std::get<1>(key.sort(/*stable=*/true, /*dim=*/0, /*descending=*/true)).to(at::kCPU).contiguous();
    return {order.template const_data_ptr<std::int64_t>(),
            order.template const_data_ptr<std::int64_t>() + order.numel()};
  }

  template <class Model>
  std::vector<std::int64_t> left_out(const Model& model) const {
    if (special_tokens) return {};
    return special_tokens_of(model.tokenizer());
  }

  /// Algorithm 1: the M rows nearest to u, and more until their rank is d1.
  template <class Model>
  std::vector<std::int64_t> nearest(const Tensor& table, const Tensor& u, const Model& model,
                                    const BindContext& context) const {
    const auto width = table.size(1), wanted = size.rows(width), needed = rank > 0 ? rank : wanted;
    if (std::max(wanted, needed) >= width && !full)
      throw Error("SubspaceBasis",
                  std::to_string(std::max(wanted, needed)) + " rows span all of a row's " + std::to_string(width) +
                      " dimensions: no subspace is left",
                  "take fewer, or say .full = true to train weights of a basis of everything");
    auto order = by_distance(table, u, context);
    const auto special = left_out(model);
    std::erase_if(order, [&](std::int64_t id) { return std::ranges::find(special, id) != special.end(); });
    // u itself belongs to its subspace (Eq. 3), even where longer rows come before it; the code takes the first in
    // order as they are, but begins random ones with u
    const auto same = (table == u).all(1).to(at::kCPU).contiguous();
    const auto own = std::ranges::find_if(order, [&](std::int64_t id) { return same[id].template item<bool>(); });
    const auto place = start == BasisStart::initial_row ? wanted - 1 : std::int64_t{0};
    if (own != order.end() && own - order.begin() > place &&
        (start == BasisStart::initial_row || distance == BasisDistance::random))
      std::rotate(order.begin() + place, own, own + 1);

    std::vector<std::int64_t> ids;
    RowSpan span(width);
    for (const std::int64_t id : order) {
      if (std::ssize(ids) >= wanted && span.rank() >= std::min(needed, width)) break;
      ids.push_back(id), span.add(table[id]);
    }
    if (std::ssize(ids) < wanted || span.rank() < std::min(needed, width))
      throw Error("SubspaceBasis",
                  "all " + std::to_string(ids.size()) + " rows of the vocabulary have rank " +
                      std::to_string(span.rank()) + ", asked for are " + std::to_string(wanted) + " rows of rank " +
                      std::to_string(needed),
                  "take a smaller .size or .rank");
    return ids;
  }

  /// The rows that the first gradients [n, D] are made of, and the starts: those that are rows are taken, the others
  /// count as one more gradient each; the share is of the energy of all together.
  template <class Model>
  std::vector<std::int64_t> pursued(const Tensor& table, const Tensor& starts, const Tensor& gradients,
                                    const Model& model) const {
    std::vector<std::int64_t> first;
    auto targets = gradients.to(at::kFloat);
    for (std::int64_t i = 0; i < starts.size(0); ++i) {
      const auto id = row_equal_to(table, starts[i]);
      if (!id)
        targets = at::cat({targets, starts.slice(0, i, i + 1)});
      else if (std::ranges::find(first, *id) == first.end())
        first.push_back(*id);
    }
    return pursue_rows(table, targets, size.value, std::move(first), left_out(model),
                       full ? table.size(0) : table.size(1) - 1);
  }

  Group group(std::string name, const Tensor& table, std::vector<std::int64_t> ids, const Tensor& starts) const {
    Group made{.ids = std::move(ids)};
    made.basis = table.index_select(0, at::tensor(made.ids, at::kLong).to(table.device()));
    made.weights = make_leaf(std::move(name), starting_weights(made.basis, starts));
    if (decay_toward_start) made.weights.decay_toward = made.weights.value.detach().clone();
    return made;
  }

  /// [n, M]: one-hot where a start is a row of the basis, else the least-squares weights, of directions that are more
  /// than rounding.
  Tensor starting_weights(const Tensor& basis, const Tensor& starts) const {
    auto weights = at::zeros({starts.size(0), basis.size(0)}, basis.options());
    Tensor inverse;
    for (std::int64_t i = 0; i < starts.size(0); ++i) {
      const auto own = row_equal_to(basis, starts[i]);
      if (start == BasisStart::first || own) {
        weights[i][start == BasisStart::first ? 0 : *own].fill_(1);
        continue;
      }
      if (!inverse.defined()) inverse = at::linalg_pinv(basis.to(at::kCPU, at::kDouble), RowSpan::tolerance).t();
      weights[i].copy_(inverse.matmul(starts[i].to(at::kCPU, at::kDouble)));
    }
    return weights;
  }
  /// The first row of a table that is this one to the last bit.
  static std::optional<std::int64_t> row_equal_to(const Tensor& table, const Tensor& row) {
    const auto same = (table == row).all(1);
    if (!same.any().item<bool>()) return {};
    return same.to(at::kLong).argmax(0).item<std::int64_t>();
  }
};

}  // namespace persona
