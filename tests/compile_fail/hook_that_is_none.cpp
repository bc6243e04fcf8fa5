// expect: [persona] not a hook: needs one of 'on_begin(const Run&)', 'on_step(const Step&)', 'on_end(const Run&)', or to be callable with a 'const Step&' (docs/how-to/write_a_component.md)
#include <persona/train/hooks.hpp>

struct Deaf {};
#ifdef PERSONA_POSITIVE_TWIN
void f(const persona::Run& run) { persona::drain(run, [](const persona::Step&) {}); }
#else
void f(const persona::Run& run) { persona::drain(run, Deaf{}); }
#endif
