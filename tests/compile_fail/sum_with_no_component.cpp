// expect: [persona] operator+: only one operand is a component; the other needs 'using plays = persona::Plays<...>;' and 'describe()' (docs/how-to/write_a_component.md)
#include <persona/loss/l2.hpp>
#include <persona/optim/adamw.hpp>
#include <persona/recipe.hpp>

struct Foreign {};
#ifdef PERSONA_POSITIVE_TWIN
auto sum = persona::L2Reg{} + persona::AdamW{};
#else
void f() { persona::L2Reg{} + Foreign{}; }
#endif
