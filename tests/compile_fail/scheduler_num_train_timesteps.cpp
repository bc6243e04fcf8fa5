// expect: [persona] not a Scheduler: needs 'std::int64_t num_train_timesteps() const' (docs/concepts/scheduler.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::Scheduler;
#else
using T = persona::archetype::Without<persona::archetype::Scheduler, persona::archetype::SchedulerPiece::num_train_timesteps>;
#endif
static_assert(persona::explain_scheduler<T>());
