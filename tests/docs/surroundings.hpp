#pragma once
// What the documentation's fragments speak of without saying it: each is compiled as the body of a function among these.

#include <persona/images.hpp>
#include <persona/libtorch/module_denoiser.hpp>
#include <persona/metric.hpp>
#include <persona/persona.hpp>
#include <persona/stable_diffusion.hpp>
#include <persona/testing.hpp>

#include <cmath>
#include <iostream>
#include <span>
#include <string>
#include <vector>

namespace surroundings {
using namespace persona;  // signatures in the documentation are written as inside the library

struct NetImpl : torch::nn::Module {
  Tensor forward(const Tensor& x, const Tensor&, const Tensor&) { return x; }
};
TORCH_MODULE(Net);

extern const StableDiffusion& sd;
extern const Subject subject, ada, rex;
extern const std::vector<Subject> subjects, people;
extern const std::vector<std::string> names, captions;
extern const PriorPreservation prior;
extern const Image picture;
extern const Learned cat, dog;
extern const CLIPTokenizer tokenizer;
extern const CLIPTextModel text_encoder;
extern const UNet2DConditionModel denoiser;
extern const AutoencoderKL autoencoder;

// Of the concepts' questions: any type that could stand there.
struct T {};
struct E {};
struct D {};
struct S {};
struct A {};
struct State;
}  // namespace surroundings
