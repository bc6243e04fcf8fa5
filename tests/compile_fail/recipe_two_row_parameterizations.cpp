// expect: [persona] recipe: two components play the RowParameterization role; keep one (docs/concepts/recipe.md)
#include <persona/param/free_rows.hpp>
#include <persona/recipe.hpp>

#ifdef PERSONA_POSITIVE_TWIN
auto sum = persona::recipe(persona::FreeRows{});
#else
auto sum = persona::recipe(persona::FreeRows{}, persona::FreeRows{});
#endif
