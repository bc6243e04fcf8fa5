// Draws from a model and says how well: 200 random captions whose attributes the probe then looks for, and named
// people, whom the recogniser must know among 50 others; and the autoencoder's PSNR. `--model FOLDER`, or training
// checkpoints.

#include "face_recognizer.hpp"
#include "measures.hpp"
#include "model_files.hpp"
#include "options.hpp"
#include "probe.hpp"
#include "text_batches.hpp"

#include <persona/model/sample.hpp>

using namespace toyland;

namespace {

class Artist {
 public:
  Artist(const persona::StableDiffusion& model, const Options& options) : model_(model), options_(options) {}

  /// Pictures [N, 3, 64, 64] of the prompts, sixteen at a time.
  Tensor draw(const std::vector<std::string>& prompts, std::uint64_t seed) const {
    const at::NoGradGuard no_grad;
    std::vector<Tensor> parts;
    for (std::size_t i = 0; i < prompts.size(); i += 16) {
      const std::vector<std::string> some(
          prompts.begin() + static_cast<std::ptrdiff_t>(i),
          prompts.begin() + static_cast<std::ptrdiff_t>(std::min(i + 16, prompts.size())));
      const auto latents = persona::sample_latents(model_, some,
                                                   {.steps = options_.count("steps"),
                                                    .guidance = options_.number("guidance"),
                                                    .seed = seed * 1000 + i,
                                                    .sampler = "ddim"});
      const auto& vae = model_.autoencoder();
      parts.push_back(vae.decode(latents / vae.scaling_factor()).clamp(-1, 1));
    }
    return at::cat(parts);
  }

 private:
  const persona::StableDiffusion& model_;
  const Options& options_;
};

void print(const char* what, const Tally& tally) {
  std::printf(
      "%s: traits %.3f, place %.3f, style %.3f, garment %.3f, its colour %.3f, accessory %.3f, expression %.3f, "
      "count %.3f; kind %.3f, a thing's traits %.3f\n",
      what, tally.person(), tally.share(place_question), tally.share(style_question), tally.share(garment_question),
      tally.share(garment_color_question), tally.share(accessory_question), tally.share(expression_question),
      tally.share(count_question), tally.share(kind_question), tally.thing());
  for (std::size_t t = 0; t < trait_count; ++t)
    std::printf("%s %.2f  ", std::string(traits[t].name).c_str(), tally.share(t));
  std::printf("\n"), std::fflush(stdout);
}

}  // namespace

static void make(int argc, char** argv) {
  const Options options(argc, argv,
                        {{"unet", "unet.safetensors"},
                         {"vae", "vae.safetensors"},
                         {"probe", PERSONA_SOURCE "/examples/toyland/metrics/probe.safetensors"},
                         {"face", PERSONA_SOURCE "/examples/toyland/metrics/face.safetensors"},
                         {"tokenizer", "model/tokenizer"},
                         {"model", ""},
                         {"out", "samples.png"},
                         {"captions", "200"},
                         {"names", "100"},
                         {"steps", "25"},
                         {"guidance", "3.5"},
                         {"seed", "0"},
                         {"average", "1"}});
  persona::keep_freed_memory();
  const auto folder = options.text("model");
  const auto model = folder.empty() ? model_from_checkpoints(options.text("unet"), options.text("vae"),
                                                             options.text("tokenizer"), options.count("average") != 0)
                                    : persona::StableDiffusion::load(folder);
  std::printf("autoencoder: PSNR %.2f dB; text encoder: outputs over rows %.1f\n",
              reconstruct(model.autoencoder()).psnr, output_ratio(model));
  std::fflush(stdout);
  auto probe = make_probe();
  load_weights(probe, options.text("probe"), "probe");
  const Artist artist(model, options);
  const auto seed = static_cast<std::uint64_t>(options.count("seed"));
  std::vector<Picture> sheet;

  // captions that say all: people by name, things by their traits
  Dice dice(seed, "captions");
  std::vector<Example> examples;
  std::vector<std::string> captions;
  for (long i = 0; i < options.count("captions"); ++i) {
    examples.push_back(random_example(dice, {.named = 1, .styled = 0.25}));
    captions.push_back(caption(examples.back(), {.fully = true}, dice));
  }
  if (!examples.empty()) {
    std::vector<Picture> renders;
    for (const auto& example : examples) renders.push_back(render(example));
    const auto images = artist.draw(captions, seed);
    const auto of_renders = ask(probe, to_tensor(renders)), of_drawn = ask(probe, images);
    Tally on_renders, on_drawn;
    for (std::size_t i = 0; i < examples.size(); ++i) {
      const auto truth = answers(examples[i]);
      on_renders.add(truth, of_renders[i]), on_drawn.add(truth, of_drawn[i]);
    }
    print("renders", on_renders), print("captions drawn", on_drawn);
    std::printf("all attributes alike: renders %.3f, drawn %.3f\n", on_renders.overall(), on_drawn.overall());
    const auto drawn = to_pictures(images);
    for (std::size_t i = 0; i < std::min<std::size_t>(drawn.size(), 48); ++i)
      sheet.push_back(drawn[i]), sheet.push_back(renders[i]);
  }

  // named people: their traits, and whether the recogniser takes them for themselves
  std::vector<std::string> prompts;
  std::vector<Answers> people;
  std::vector<Picture> own;
  const auto names = options.count("names");
  for (long i = 0; i < names; ++i) {
    const auto& named = named_people()[static_cast<std::size_t>((i * 13 + 5) % named_count)];
    prompts.push_back("a photo of " + named.name() + " person"),
        people.push_back(answers({.shown = {{named.person}}, .scene = {}}));
    own.push_back(render(named.person, {}));
  }
  if (names > 0) {
    const auto images = artist.draw(prompts, seed + 1);
    const auto found = ask(probe, images);
    double share = 0;
    for (std::size_t i = 0; i < people.size(); ++i) share += traits_right(people[i], found[i]);
    std::printf("identity of %ld named people %.3f\n", names, share / static_cast<double>(names));
    if (std::filesystem::exists(options.text("face"))) {
      auto recognizer = FaceRecognizer::sized();
      load_weights(recognizer, options.text("face"), "face");
      const at::NoGradGuard no_grad;
      std::vector<Picture> others = own;
      for (long i = 0; i <= 50; ++i)
        others.push_back(render(named_people()[static_cast<std::size_t>((i * 7 + 100) % named_count)].person, {}));
      const auto drawn = recognizer.embed_faces(face_crop(images, Seat::middle)),
                 known = recognizer.embed_faces(face_crop(to_tensor(others), Seat::middle));
      const auto cosines = drawn.matmul(known.t());
      long right = 0;
      for (std::int64_t i = 0; i < names; ++i) {
        long compared = 0;
        bool nearest = true;
        for (std::int64_t k = 0; k < known.size(0) && compared < 50; ++k) {
          const auto j = (i + 1 + k) % known.size(0);
          if (others[static_cast<std::size_t>(j)] == own[static_cast<std::size_t>(i)]) continue;
          ++compared, nearest = nearest && cosines[i][i].item<float>() > cosines[i][j].item<float>();
        }
        right += nearest;
      }
      std::printf("nearer to the own render than to 50 others: %.3f of them; mean cosine to the own %.3f\n",
                  static_cast<double>(right) / static_cast<double>(names),
                  cosines.slice(1, 0, names).diagonal().mean().item<double>());
    }
    const auto drawn = to_pictures(images);
    for (std::size_t i = 0; i < std::min<std::size_t>(drawn.size(), 24); ++i)
      sheet.push_back(drawn[i]), sheet.push_back(own[i]);
  }
  write_sheet(options.text("out").c_str(), sheet, 16, 2);
}

int main(int argc, char** argv) { return toyland::guarded(make, argc, argv); }
