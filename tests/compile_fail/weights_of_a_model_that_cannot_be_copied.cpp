// expect: [persona] personalize: this sum changes weights, and the model cannot be copied; hand it over with std::move (docs/concepts/weight_host.md)
#include <persona/archetype.hpp>
#include <persona/train/personalize.hpp>

struct Unique : persona::archetype::FullDiffusionModel {
  Unique(const Unique&) = delete;
  Unique(Unique&&) = default;
};
#ifdef PERSONA_POSITIVE_TWIN
auto ok(Unique& model) { return persona::detail::hold<true>(std::move(model)); }
#else
auto bad(Unique& model) { return persona::detail::hold<true>(model); }
#endif
