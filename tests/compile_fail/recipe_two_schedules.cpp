// expect: [persona] recipe: two components play the LearningRateSchedule role; keep one (docs/concepts/recipe.md)
#include <persona/optim/learning_rate.hpp>
#include <persona/recipe.hpp>

#ifdef PERSONA_POSITIVE_TWIN
auto sum = persona::recipe(persona::ConstantRate{});
#else
auto sum = persona::recipe(persona::ConstantRate{}, persona::CosineRate{});
#endif
