// expect: [persona] recipe: two components play the Scheduler role; keep one (docs/concepts/recipe.md)
#include <persona/archetype.hpp>
#include <persona/recipe.hpp>

persona::archetype::TrainingScheduler scheduler;
#ifdef PERSONA_POSITIVE_TWIN
auto sum = persona::recipe(scheduler);
#else
auto sum = persona::recipe(scheduler, scheduler);
#endif
