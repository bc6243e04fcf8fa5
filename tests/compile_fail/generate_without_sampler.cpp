// expect: [persona] generate: the model cannot draw; needs 'sampler(std::string_view name) const' that gives a Sampler or a std::variant of Samplers (docs/concepts/diffusion_model.md)
#include <persona/archetype.hpp>
#include <persona/generate/generate.hpp>

#ifdef PERSONA_POSITIVE_TWIN
struct Model : persona::archetype::DiffusionModel {
  persona::archetype::Sampler sampler(std::string_view) const;
};
#else
using Model = persona::archetype::DiffusionModel;
#endif
void draw(const Model& model) { persona::generate(model, "a dog"); }
