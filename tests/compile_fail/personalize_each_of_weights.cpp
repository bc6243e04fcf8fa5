// expect: [persona] personalize_each: this sum changes weights, which all subjects would share; learn token rows, or call personalize for each (docs/how-to/many_subjects.md)
#include <persona/archetype.hpp>
#include <persona/init/token.hpp>
#include <persona/train/personalize_each.hpp>

using persona::operator+;

#ifdef PERSONA_POSITIVE_TWIN
auto ok(persona::archetype::FullDiffusionModel& model, std::span<const persona::Subject> subjects) {
  return persona::personalize_each(model, subjects, persona::recipe(persona::TokenInit{}));
}
#else
auto bad(persona::archetype::FullDiffusionModel& model, std::span<const persona::Subject> subjects) {
  return persona::personalize_each(model, subjects,
                                   persona::TokenInit{} + persona::archetype::WeightParameterization{});
}
#endif
