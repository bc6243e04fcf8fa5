// expect: [persona] not a Scheduler: needs 'Tensor add_noise(x0, noise, t) const' (docs/concepts/scheduler.md)
#include <persona/archetype.hpp>
#include <persona/explain.hpp>

#ifdef PERSONA_POSITIVE_TWIN
using T = persona::archetype::Scheduler;
#else
using T = persona::archetype::Without<persona::archetype::Scheduler, persona::archetype::SchedulerPiece::add_noise>;
#endif
static_assert(persona::explain_scheduler<T>());
