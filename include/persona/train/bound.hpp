#pragma once

#include <persona/core/leaf.hpp>
#include <persona/core/tensor.hpp>
#include <persona/data/augmentation.hpp>
#include <persona/data/batch.hpp>
#include <persona/loss/step_view.hpp>
#include <persona/model/attachment.hpp>
#include <persona/optim/optimizer.hpp>
#include <persona/text/placeholder.hpp>
#include <persona/text/row_set.hpp>
#include <persona/text/stored_rows.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace persona {

/// The rows of one subject as a run holds them.
struct BoundRows {
  Placeholder placeholder{};
  Tensor initial{};  ///< [n, D] fp32: where they started
  std::vector<Leaf> leaves{};
  bool layered = false;
  std::function<RowSet(const RowQuery&)> at{};  ///< differentiable in the leaves
  /// The same function, of the leaves as they are now: what a learned thing keeps.
  std::function<std::function<RowSet(const RowQuery&)>()> snapshot{};
  std::function<StoredRows()> stored{};  ///< layered rows as a file holds them; empty where their state cannot say
};

/// One changed weight.
struct BoundWeight {
  std::string name{};                ///< "unet.mid_block...to_k.weight"
  std::string component{};           ///< describes the parameterization
  at::TensorOptions base_options{};  ///< dtype and device of the base
  std::string cache{};               ///< the folder that keeps its decomposition; empty: none
  std::shared_ptr<const Adapter> adapter{};
  std::vector<Leaf> leaves{};
};

struct BoundRegularizer {
  std::string name{};
  std::function<Tensor(const StepView&)> loss{};
  std::function<bool(const AttentionLayer&)> wants{};  ///< empty: no attention maps
};

struct BoundContribution {
  std::string name{};
  std::function<void(Batch&, at::Generator&)> contribute{};
  std::function<void(Batch&, const Tensor& snr)> reweigh{};
};

struct BoundScheduler {
  std::int64_t num_train_timesteps = 0;
  std::function<Tensor(const Tensor& x0, const Tensor& noise, const Tensor& t)> add_noise{}, target{};
  std::function<Tensor(const Tensor& t)> snr{};
};

struct BoundOptimizer {
  std::function<void(const OptimizerStep&)> step{};
  std::function<std::vector<NamedTensor>()> state{};
};

/// A sum bound to a model and its subjects: ordinary types, whatever the components were.
struct Bound {
  std::vector<Description> components{};  ///< of the sum, in its order
  std::vector<BoundRows> rows{};          ///< one a subject; empty: no token is trained
  std::vector<BoundWeight> weights{};
  std::vector<Attachment> attachments{};  ///< keep the changed weights in the model
  std::vector<BoundRegularizer> regularizers{};
  std::vector<BoundContribution> contributions{};
  std::vector<BoundAugmentation> augmentations{};
  BoundScheduler scheduler{};
  BoundOptimizer optimizer{};
  std::function<double(std::int64_t step, std::int64_t steps)> rate{};
  std::vector<Leaf> leaves{};  ///< all of them, named uniquely
  double default_learning_rate = 1e-3;
  std::int64_t default_steps = 1000;

  bool layered() const {
    for (const BoundRows& row : rows)
      if (row.layered) return true;
    return false;
  }
  bool wants_attention() const {
    for (const BoundRegularizer& regularizer : regularizers)
      if (regularizer.wants) return true;
    return false;
  }
  std::vector<Placeholder> placeholders() const {
    std::vector<Placeholder> list;
    for (const BoundRows& row : rows) list.push_back(row.placeholder);
    return list;
  }
};

/// The rows of all subjects, one after the other, as one set for one conditioned layer.
inline RowSet joined_rows(const std::vector<BoundRows>& rows, const RowQuery& query) {
  std::vector<RowSet> sets;
  for (const BoundRows& row : rows) sets.push_back(row.at(query));
  return join_rows(sets);
}

}  // namespace persona
