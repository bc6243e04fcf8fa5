// expect: [persona] recipe: two components play the Optimizer role; keep one (docs/concepts/recipe.md)
#include <persona/optim/adamw.hpp>
#include <persona/recipe.hpp>

#ifdef PERSONA_POSITIVE_TWIN
auto sum = persona::recipe(persona::AdamW{});
#else
auto sum = persona::recipe(persona::AdamW{}, persona::AdamW{});
#endif
