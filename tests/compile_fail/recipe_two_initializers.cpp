// expect: [persona] recipe: two components play the Initializer role; keep one (docs/concepts/recipe.md)
#include <persona/init/token.hpp>
#include <persona/recipe.hpp>

#ifdef PERSONA_POSITIVE_TWIN
auto sum = persona::recipe(persona::TokenInit{});
#else
auto sum = persona::recipe(persona::TokenInit{}, persona::TokenInit{"cat"});
#endif
