// Trains the face recogniser: additive angular margins (ArcFace, Deng et al. 2019) over faces of people whom it is
// shown in many scenes, a third of them lookalikes in all but two traits; prints how well it tells people apart whom it
// never saw.

#include "face_recognizer.hpp"
#include "options.hpp"
#include "trainer.hpp"
#include "worsen.hpp"

#include <filesystem>

using namespace toyland;

namespace {

/// The people of training: of each three, the third is the second with two traits changed.
std::vector<Person> faces_of_training(std::uint64_t seed, long n) {
  Dice dice(seed, "faces");
  std::vector<Person> people;
  for (long i = 0; i < n; ++i) {
    Person person = random_person(dice);
    if (i % 3 == 2) {
      person = people.back();
      for (int change = 0; change < 2; ++change) {
        const auto t = static_cast<std::size_t>(dice.below(trait_count));
        person.value[t] = static_cast<std::uint8_t>((person.value[t] + 1) % traits[t].count);
      }
    }
    people.push_back(person);
  }
  return people;
}

/// One person in a scene, now and then beside somebody else.
struct View {
  Picture picture;
  Seat seat;
};
View random_view(const Person& person, Dice& dice) {
  const Scene scene = random_scene(dice, 0);
  if (!dice.chance(0.2)) return {render(person, scene), Seat::middle};
  const Person other = random_person(dice);
  const bool left = dice.chance(0.5);
  return {left ? render(person, other, scene) : render(other, person, scene), left ? Seat::left : Seat::right};
}

/// Of two views of a person unseen in training, how often the second is nearer to the first than to 50 others' is.
void evaluate(const FaceRecognizer& recognizer) {
  const at::NoGradGuard no_grad;
  Dice dice(17, "face validation");
  const auto& people = unnamed_people();
  std::array<std::vector<Tensor>, 2> crops;
  for (const Person& person : people)
    for (auto& list : crops) {
      Scene scene = random_scene(dice, 0);
      list.push_back(face_crop(to_tensor(std::vector{render(person, scene)}), Seat::middle));
    }
  const auto device = recognizer.tower.out.weight.base.device();
  const auto a = recognizer.embed_faces(at::cat(crops[0]).to(device)),
             b = recognizer.embed_faces(at::cat(crops[1]).to(device));
  const auto cosines = a.matmul(b.t());
  const auto right = cosines.diagonal();
  long best = 0;
  for (std::int64_t i = 0; i < 200; ++i) {
    const auto others = cosines[i].index({(at::arange(50) + i + 1).remainder(200).to(device)});
    best += (right[i] > others.max()).item<bool>();
  }
  const double other = (cosines.sum() - right.sum()).item<double>() / (200 * 199);
  std::printf("cosine with oneself %.3f, with others %.3f; nearer than 50 others: %.3f\n", right.mean().item<double>(),
              other, static_cast<double>(best) / 200);
  std::fflush(stdout);
}

}  // namespace

static void make(int argc, char** argv) {
  const Options options(argc, argv,
                        {{"out", "face.safetensors"},
                         {"export", ""},
                         {"people", "3000"},
                         {"steps", "2500"},
                         {"minutes", "0"},
                         {"batch", "96"},
                         {"lr", "2e-3"},
                         {"margin", "0.25"},
                         {"scale", "24"},
                         {"threads", "2"},
                         {"device", "cpu"},
                         {"seed", "6"}});
  persona::keep_freed_memory();
  const auto out = options.text("out");
  const auto seed = static_cast<std::uint64_t>(options.count("seed"));
  auto recognizer = FaceRecognizer::sized();
  persona::Linear centres(FaceRecognizer::width, options.count("people"));
  initialize(recognizer, seed), initialize(centres, seed + 1);
  const auto device = persona::parse_device(options.text("device"));
  persona::to(recognizer, device, at::kFloat), persona::to(centres, device, at::kFloat);
  Trainer trainer;
  trainer.add("face", recognizer), trainer.add("centres", centres);
  long step = 0;
  if (std::filesystem::exists(out)) step = trainer.load(load_tensors(out));
  const auto people = faces_of_training(seed, options.count("people"));
  const Progress progress(options.count("steps"), options.number("minutes"), step);
  const auto threads = options.count("threads");
  const auto shard_loss = [&](long number, long shard) {
    Dice dice(seed * 1000003 + static_cast<std::uint64_t>(number * threads + shard), "face");
    auto generator = generator_of(dice.next());
    std::vector<Tensor> crops;
    std::vector<std::int64_t> who;
    for (long i = 0; i < options.count("batch") / threads; ++i) {
      who.push_back(dice.below(static_cast<int>(people.size())));
      const auto view = random_view(people[static_cast<std::size_t>(who.back())], dice);
      crops.push_back(face_crop(to_tensor(std::vector{view.picture}), view.seat));
    }
    const auto features =
        as_dtype(recognizer, at::kBFloat16).embed_faces(worsen(at::cat(crops), dice, generator).to(device));
    const auto directions = centres.weight.base / at::linalg_vector_norm(centres.weight.base, 2, {1}, true);
    const auto cosines = features.matmul(directions.t()).clamp(-1 + 1e-5, 1 - 1e-5);
    const auto index = at::tensor(who).to(device).unsqueeze(1);
    const auto own = cosines.gather(1, index);
    const auto pushed =
        (own.acos() + options.number("margin") * std::min(1.0, static_cast<double>(number) / 500)).cos();
    const auto scores = cosines.scatter(1, index, pushed) * options.number("scale");
    const auto loss = (scores.logsumexp(1) - scores.gather(1, index).squeeze(1)).mean() / static_cast<double>(threads);
    loss.backward();
    return std::array{loss.item<double>()};
  };
  double running = 0;
  for (long first = step; progress.fraction(step) < 1; ++step) {
    const auto [loss] = on_threads(threads, [&](long shard) { return shard_loss(step, shard); });
    trainer.step(learning_rate(options.number("lr"), progress.fraction(step), step - first), 0.01, 1.0,
                 std::min(0.995, (1.0 + static_cast<double>(step)) / (10.0 + static_cast<double>(step))));
    running = step == first ? loss : 0.98 * running + 0.02 * loss;
    if (step % 100 == 0) progress.print(step, ("loss " + std::to_string(running)).c_str());
    if (step % 500 == 499 || progress.fraction(step + 1) >= 1) {
      save_tensors(out, trainer.state(step + 1));
      trainer.swap_average(), evaluate(recognizer), trainer.swap_average();
    }
  }
  trainer.swap_average();
  if (!options.text("export").empty()) save_half(options.text("export"), recognizer);
}

int main(int argc, char** argv) { return toyland::guarded(make, argc, argv); }
