#pragma once

#include <persona/data/bound.hpp>
#include <persona/data/flip.hpp>
#include <persona/explain.hpp>
#include <persona/optim/adamw.hpp>
#include <persona/recipe.hpp>
#include <persona/train/bind_rows.hpp>
#include <persona/train/bound.hpp>

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <ranges>
#include <set>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace persona {

namespace detail {

template <class C, class Model>
consteval bool explain_component_for() {
  if constexpr (plays_role<C, Role::initializer>) (void)explain_initializer<C, Model>();
  if constexpr (plays_role<C, Role::row_parameterization>) {
    (void)explain_row_parameterization<C, Model>();
    if constexpr (RowParameterizationFor<C, Model>) {
      static_assert(
          HasUniformRows<row_state_t<C, Model>> || LayeredDenoiser<denoiser_t<Model>>,
          "[persona] this row parameterization gives each layer rows of its own, and the model's denoiser is not a LayeredDenoiser: needs 'num_conditioned_layers() const' and 'predict(x_t, t, const Conditioning&) const' (docs/concepts/denoiser.md)");
    }
  }
  if constexpr (plays_role<C, Role::weight_parameterization>) {
    static_assert(
        !requires(const Model& model) { model.learned_rows(); },
        "[persona] this sum changes weights, and the model has learned things in it, whose weights are not lent; train on the base model, go on from rows with RowsInit::from, or bake what was learned of weights into a model of its own first (docs/how-to/many_subjects.md)");
    static_assert(
        HasDenoiserWeights<Model> || HasTextEncoderWeights<Model>,
        "[persona] this sum changes weights, and neither the model's denoiser nor its text encoder lends any: needs 'std::vector<persona::WeightRef> weights()', and a non-const 'denoiser()' or 'text_encoder()' (docs/concepts/weight_host.md)");
  }
  if constexpr (plays_role<C, Role::regularizer>) {
    (void)explain_regularizer<C, Model>();
    if constexpr (RegularizerFor<C, Model>) {
      if constexpr (WantsAttention<bound_t<C, Model>>) {
        static_assert(
            AttentionDenoiser<denoiser_t<Model>>,
            "[persona] this regularizer reads attention maps, and the model's denoiser is not an AttentionDenoiser: needs 'Tensor predict(x_t, t, const Conditioning&, AttentionTap&) const' (docs/concepts/denoiser.md)");
      }
    }
  }
  if constexpr (plays_role<C, Role::contribution>) (void)explain_contribution<C, Model>();
  return true;
}

/// Everything that a sum asks of this model.
template <class Model, class... C>
consteval bool explain_recipe_for() {
  using R = Recipe<C...>;
  static_assert(
      R::template count<Role::initializer> + R::template count<Role::row_parameterization> +
              R::template count<Role::weight_parameterization> >
          0,
      "[persona] this sum trains nothing: add an Initializer (TokenInit, CrossInit) or a RowParameterization for token rows, or a WeightParameterization for weights (docs/concepts/recipe.md)");
  (explain_component_for<C, Model>(), ...);
  return true;
}

template <class Host>
bool lends_any(Host& host) {
  auto&& weights = host.weights();
  return std::ranges::begin(weights) != std::ranges::end(weights);
}

/// `selected` counts the weights that each of the sum's parameterizations has chosen so far, in their order.
template <class Host, class... C>
void bind_weights_of(Host& host, const char* name, const Recipe<C...>& recipe, const BindContext& context, Bound& bound,
                     std::span<std::int64_t> selected) {
  std::vector<WeightRef> refs;
  for (WeightRef ref : host.weights()) {
    ref.host = name;
    bool chosen = false;
    auto count = selected.begin();
    for_each_of<Role::weight_parameterization>(recipe, [&](const auto& part) {
      const bool selects = part.selects(ref);
      chosen |= selects, *count++ += selects;
    });
    if (chosen) refs.push_back(std::move(ref));
  }
  std::int64_t done = 0;
  for (WeightRef& lent : refs) {
    WeightRef ref = std::move(lent);  // nothing here keeps a base that is let go of
    Attachment attachment(ref);
    for_each_of<Role::weight_parameterization>(recipe, [&](const auto& parameterization) {
      if (!parameterization.selects(ref)) return;
      auto adapter = parameterization.bind(ref, context);
      if (!adapter)
        throw Error(ref.full_name(), to_string(parameterization.describe()) + " binds it to nothing",
                    "bind() gives an adapter for every weight that selects() chooses");
      BoundWeight weight{.name = ref.full_name(),
                         .component = to_string(parameterization.describe()),
                         .base_options = ref.base.options(),
                         .cache = context.cache.string(),
                         .adapter = adapter};
      for (Leaf leaf : adapter->leaves()) {
        leaf.name = ref.full_name() + "." + leaf.name;
        weight.leaves.push_back(std::move(leaf));
      }
      bound.weights.push_back(std::move(weight));
      attachment.add(std::move(adapter));
    });
    ref = {};
    if (context.let_go) attachment.let_go();
    bound.attachments.push_back(std::move(attachment));
    if (context.progress)
      context.progress(std::string("weights of ") + name, ++done, static_cast<std::int64_t>(refs.size()));
  }
}

/// Of several parts, the lowest rate and the most steps that one asks for, in whatever order they stand.
template <class... C>
void take_weight_defaults(const Recipe<C...>& recipe, Bound& bound) {
  bool first = true;
  for_each_of<Role::weight_parameterization>(recipe, [&](const auto& component) {
    Bound asked{.default_learning_rate = bound.default_learning_rate, .default_steps = bound.default_steps};
    take_defaults(component, asked);
    bound.default_learning_rate =
        first ? asked.default_learning_rate : std::min(bound.default_learning_rate, asked.default_learning_rate);
    bound.default_steps = first ? asked.default_steps : std::max(bound.default_steps, asked.default_steps);
    first = false;
  });
}

template <class Model, class... C>
void bind_weights(Model& model, const Recipe<C...>& recipe, const BindContext& context, Bound& bound) {
  constexpr auto parts = Recipe<C...>::template count<Role::weight_parameterization>;
  if constexpr (parts > 0) {
    take_weight_defaults(recipe, bound);
    std::array<std::int64_t, parts> selected{};
    if constexpr (HasTextEncoderWeights<Model>)
      bind_weights_of(model.text_encoder(), "text_encoder", recipe, context, bound, selected);
    if constexpr (HasDenoiserWeights<Model>)
      bind_weights_of(model.denoiser(), "unet", recipe, context, bound, selected);
    if constexpr (HasDenoiserWeights<Model>)
      if (bound.weights.empty() && !lends_any(model.denoiser()))
        throw Error("bind", "the model's denoiser lends no weight",
                    "a TorchScript module has none left after torch.jit.freeze: save it before");
    auto count = selected.begin();
    for_each_of<Role::weight_parameterization>(recipe, [&](const auto& component) {
      if (*count++ == 0)
        throw Error("bind", "no weight of this model is selected by " + to_string(component.describe()),
                    "look at what selects() asks of WeightRef::name, host and kind");
    });
  }
}

/// Regularizers, contributions and augmentations: a component that plays several of these roles is bound once.
template <class Model, class C>
void bind_terms(const Model& model, const C& component, const BindContext& context, Bound& bound) {
  if constexpr (plays_role<C, Role::regularizer> || plays_role<C, Role::contribution> ||
                plays_role<C, Role::augmentation>) {
    using State = bound_t<C, Model>;
    auto state = std::make_shared<State>(bind_or_copy(component, model, context));
    const std::string name = component.describe().name;
    if constexpr (plays_role<C, Role::regularizer>) {
      // Charts and tables of a run tell two of one kind apart.
      auto called = name;
      for (int n = 2;
           std::ranges::find(bound.regularizers, called, &BoundRegularizer::name) != bound.regularizers.end(); ++n)
        called = name + " " + std::to_string(n);
      BoundRegularizer term{.name = called,
                            .loss = [state](const StepView& view) { return Tensor(std::as_const(*state).loss(view)); }};
      if constexpr (WantsAttention<State>)
        term.wants = [state](const AttentionLayer& layer) { return std::as_const(*state).wants(layer); };
      bound.regularizers.push_back(std::move(term));
    }
    if constexpr (plays_role<C, Role::contribution>) {
      BoundContribution contribution{.name = name};
      if constexpr (HasContribute<State>)
        contribution.contribute = [state](Batch& batch, at::Generator& generator) {
          state->contribute(batch, generator);
        };
      if constexpr (HasReweigh<State>)
        contribution.reweigh = [state](Batch& batch, const Tensor& snr) { state->reweigh(batch, snr); };
      bound.contributions.push_back(std::move(contribution));
    }
    if constexpr (plays_role<C, Role::augmentation>) bound.augmentations.push_back(erase_augmentation(*state));
  }
}

/// What a sum without augmentations does.
inline std::vector<BoundAugmentation> or_flip(std::vector<BoundAugmentation> list) {
  if (list.empty()) list.push_back(erase_augmentation(RandomFlip{}));
  return list;
}

/// The sum's augmentations, or a flip.
template <class Model, class... C>
std::vector<BoundAugmentation> bind_augmentations(const Model& model, const Recipe<C...>& recipe,
                                                  const BindContext& context) {
  std::vector<BoundAugmentation> list;
  for_each_of<Role::augmentation>(recipe, [&](const auto& component) {
    list.push_back(erase_augmentation(bind_or_copy(component, model, context)));
  });
  return or_flip(std::move(list));
}

template <class S>
BoundScheduler erase_scheduler(const S& scheduler) {
  auto kept = std::make_shared<const S>(scheduler);
  return {.num_train_timesteps = kept->num_train_timesteps(),
          .add_noise = [kept](const Tensor& x0, const Tensor& noise,
                              const Tensor& t) { return Tensor(kept->add_noise(x0, noise, t)); },
          .target = [kept](const Tensor& x0, const Tensor& noise,
                           const Tensor& t) { return Tensor(kept->target(x0, noise, t)); },
          .snr = [kept](const Tensor& t) { return Tensor(kept->snr(t)); }};
}

template <class O>
BoundOptimizer erase_optimizer(const O& optimizer, const Bound& bound) {
  using State = optimizer_state_t<O>;
  auto state = std::make_shared<State>(optimizer.bind(bound.leaves, bound.default_learning_rate));
  return {.step = [state](const OptimizerStep& step) { state->step(step); },
          .state =
              [state] {
                std::vector<NamedTensor> named;
                for (NamedTensor tensor : std::as_const(*state).state()) named.push_back(std::move(tensor));
                return named;
              }};
}

/// The sum's own schedule, or the model's.
template <class Model, class... C>
BoundScheduler bind_scheduler(const Model& model, const Recipe<C...>& recipe) {
  if constexpr (Recipe<C...>::template count<Role::scheduler> == 1) {
    BoundScheduler bound;
    for_each_of<Role::scheduler>(recipe, [&](const auto& scheduler) { bound = erase_scheduler(scheduler); });
    return bound;
  } else {
    return erase_scheduler(model.scheduler());
  }
}

inline void collect_leaves(Bound& bound, at::Device device) {
  std::set<std::string> names;
  const auto take = [&](const std::vector<Leaf>& leaves) {
    for (const Leaf& leaf : leaves) {
      if (!names.insert(leaf.name).second)
        throw Error("bind", "two trained tensors are named '" + leaf.name + "'",
                    "leaves of one state or adapter have names of their own, and of one weight there is one change a "
                    "form: let selects() of one component leave it to the other");
      if (leaf.value.device() != device)
        throw Error("bind", "'" + leaf.name + "' is on " + leaf.value.device().str() + ", the model on " + device.str(),
                    "make leaves with the options() of what bind is given");
      if (leaf.value.scalar_type() != at::kFloat && leaf.value.scalar_type() != at::kDouble)
        throw Error("bind", "'" + leaf.name + "' is " + at::toString(leaf.value.scalar_type()),
                    "what is trained is fp32, whatever the model computes in: make_leaf(name, value.to(at::kFloat))");
      bound.leaves.push_back(leaf);
    }
  };
  for (const BoundRows& rows : bound.rows) take(rows.leaves);
  for (const BoundWeight& weight : bound.weights) take(weight.leaves);
  if (bound.leaves.empty())
    throw Error("bind", "nothing of this sum is trained: no row state and no adapter has a leaf",
                "leaves() gives the tensors that are trained (make_leaf)");
}

}  // namespace detail

/// Binds a sum to a model and its subjects: rows get their start, weights their adapters, every component its run
/// state. The model must outlive what is returned. Throws Error where a row has the wrong shape, a weight is replaced
/// twice, or nothing is selected.
template <class Model, class... C>
Bound bind(Model& model, const Recipe<C...>& recipe, const BindContext& context) {
  using M = std::remove_const_t<Model>;
  static_assert(explain_diffusion_model<M>());
  static_assert(detail::explain_recipe_for<M, C...>());
  Bound bound{.components = recipe.describe()};
  bound.scheduler = detail::bind_scheduler(std::as_const(model), recipe);
  detail::bind_rows(model, recipe, context, bound);
  auto terms_context = context;
  terms_context.schedule = {bound.scheduler.num_train_timesteps, bound.scheduler.target};
  // Before weights are changed: class images are the base model's.
  std::apply(
      [&](const auto&... component) {
        (detail::bind_terms(std::as_const(model), component, terms_context, bound), ...);
      },
      recipe.components);
  bound.augmentations = detail::or_flip(std::move(bound.augmentations));
  detail::bind_weights(model, recipe, context, bound);
  detail::collect_leaves(bound, model.text_encoder().embedding_table().device());
  bound.rate = [](std::int64_t step, std::int64_t steps) { return ConstantRate{}.factor(step, steps); };
  detail::for_each_of<Role::learning_rate_schedule>(recipe, [&](const auto& schedule) {
    bound.rate = [schedule](std::int64_t step, std::int64_t steps) {
      return static_cast<double>(schedule.factor(step, steps));
    };
  });
  if constexpr (Recipe<C...>::template count<Role::optimizer> == 1) {
    detail::for_each_of<Role::optimizer>(
        recipe, [&](const auto& optimizer) { bound.optimizer = detail::erase_optimizer(optimizer, bound); });
  } else {
    bound.optimizer = detail::erase_optimizer(AdamW{}, bound);
  }
  return bound;
}

}  // namespace persona
