// expect: [persona] not a LearningRateSchedule: needs 'double factor(std::int64_t step, std::int64_t steps) const' (docs/concepts/learning_rate_schedule.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::LearningRateSchedule;
#else
using T = persona::archetype::Without<persona::archetype::LearningRateSchedule, persona::archetype::ComponentPiece::work>;
#endif
static_assert(persona::explain_learning_rate_schedule<T>());
