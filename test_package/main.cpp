// A token row and a spectral shift, learned on the tiny model, saved, and drawn from: what an installed persona must
// do.

#include <persona/images.hpp>
#include <persona/persona.hpp>
#include <persona/stable_diffusion.hpp>
#include <persona/testing.hpp>

#include <iostream>

int main() {
  using persona::operator+;
  const auto model = persona::testing::tiny_model();
  const auto subjects = persona::testing::tiny_subjects();
  const auto learned =
      persona::fit(model, subjects.front(), persona::TokenInit{} + persona::SpectralShift{}, {.steps = 4});
  learned.save("learned.safetensors");
  const auto read = persona::Learned::load("learned.safetensors");
  persona::write_png(subjects.front().photos.front().image, "photo.png");
  std::cout << "persona " << persona::version_string << ": " << read.rows.size() << " token, " << read.weights.size()
            << " weights learned\n";
  return read.rows.size() == 1 && read.weights.size() == learned.weights.size() ? 0 : 1;
}
