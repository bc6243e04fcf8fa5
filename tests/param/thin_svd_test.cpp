// The decomposition through the Gram matrix, against LAPACK's; and the folder that keeps it.

#include "support/catch.hpp"
#include "support/folder.hpp"

#include <persona/core/random.hpp>
#include <persona/param/svd_cache.hpp>
#include <persona/param/thin_svd.hpp>

#include <fstream>

namespace {

using persona::Tensor;

Tensor random(at::IntArrayRef shape, at::ScalarType dtype = at::kDouble) {
  return at::randn(shape, persona::Random(5).at(persona::Stream::data, shape[0] * 1000 + shape[1]),
                   at::TensorOptions().dtype(dtype));
}
/// U diag(s) V^T with singular values from 1 down to 1 / condition.
Tensor of_condition(std::int64_t m, std::int64_t n, double condition) {
  const auto svd = at::linalg_svd(random({m, n}), false);
  const auto r = std::min(m, n);
  const auto s = at::pow(condition, -at::arange(r, at::kDouble) / static_cast<double>(r - 1));
  return (std::get<0>(svd) * s).matmul(std::get<2>(svd));
}
void check(const Tensor& w) {
  const auto svd = persona::thin_svd(w);
  const auto r = std::min(w.size(0), w.size(1));
  const auto lapack = std::get<1>(at::linalg_svd(w.to(at::kDouble), false));
  CHECK((svd.s - lapack).abs().max().item<double>() <= 1e-6 * lapack[0].item<double>());
  CHECK((w - svd.product()).norm().item<double>() <= 1e-6 * w.norm().item<double>());
  CHECK((svd.s.slice(0, 1) <= svd.s.slice(0, 0, r - 1)).all().item<bool>());
  const auto one = at::ones({r}, at::kDouble).diag();
  CHECK((svd.u.t().matmul(svd.u) - one).abs().max().item<double>() < 1e-6);
  CHECK((svd.vt.matmul(svd.vt.t()) - one).abs().max().item<double>() < 1e-6);
}

}  // namespace

TEST_CASE("a thin SVD is LAPACK's, for wide, tall and square matrices, also where they are nearly singular") {
  for (const auto& [m, n] : {std::pair{4, 36}, {36, 4}, {24, 24}, {1, 7}, {7, 1}, {64, 200}}) {
    INFO(m << " x " << n);
    check(random({m, n}));
    if (std::min(m, n) > 1) check(of_condition(m, n, 1e5));
    check(random({m, n}, at::kFloat).to(at::kDouble));
  }
  check(of_condition(64, 200, 1e8));
  check(random({12, 3}).matmul(random({3, 20})));                                  // rank 3 of 12
  check(random({64, 8}).matmul(random({8, 200})).to(at::kFloat).to(at::kDouble));  // but for rounding: some 1e-8
  check(at::zeros({3, 5}, at::kDouble));
}

TEST_CASE("decompositions are kept by the weight's hash, checked when read, and made anew where a file is spoiled") {
  const persona::test::Folder folder;
  const persona::SvdCache cache(folder.path());
  const auto w = random({6, 10}, at::kFloat);
  const auto first = cache.get(w);
  CHECK(at::allclose(first.product(), w, 1e-4, 1e-5));
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "svd")) files.push_back(entry.path());
  REQUIRE(files.size() == 1);
  const auto written = std::filesystem::last_write_time(files[0]);
  const auto again = cache.get(w);
  CHECK(at::equal(first.u, again.u));
  CHECK(at::equal(first.s, again.s));
  CHECK(at::equal(first.vt, again.vt));
  CHECK(std::filesystem::last_write_time(files[0]) == written);
  (void)cache.get(w * 2);
  std::filesystem::path other;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "svd"))
    if (entry.path() != files[0]) other = entry.path();
  REQUIRE_FALSE(other.empty());
  // A file that is whole, and says what it holds: the sections below fail by what it holds alone.
  const auto write = [&](const Tensor& u, const Tensor& s, const Tensor& vt) {
    const auto hash = persona::hash_tensor(vt, persona::hash_tensor(s, persona::hash_tensor(u)));
    char text[24];
    std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(hash));
    persona::write_safetensors(files[0], {{"u", u}, {"s", s}, {"vt", vt}}, {{"persona.hash", text}});
  };
  write(first.u, first.s, first.vt);
  const auto whole = std::filesystem::last_write_time(files[0]);
  CHECK(at::equal(cache.get(w).u, first.u));
  CHECK(std::filesystem::last_write_time(files[0]) == whole);  // so it is read, not made anew

  SECTION("cut") { std::filesystem::resize_file(files[0], 100); }
  SECTION("of another matrix") {
    std::filesystem::copy_file(other, files[0], std::filesystem::copy_options::overwrite_existing);
  }
  SECTION("of another shape") { write(first.u, first.s, first.vt.slice(1, 0, 9).contiguous()); }
  SECTION("spoiled where the singular value is small") {
    auto vt = first.vt.clone();
    vt[5].neg_();
    auto told = persona::SafeTensors::open(files[0]).metadata();
    persona::write_safetensors(files[0], {{"u", first.u}, {"s", first.s}, {"vt", vt}}, told);
  }
  SECTION("of another dtype") { write(first.u.to(at::kDouble), first.s.to(at::kDouble), first.vt.to(at::kDouble)); }
  SECTION("not finite") { write(first.u, first.s * NAN, first.vt); }
  CHECK(at::equal(cache.get(w).u, first.u));
  CHECK(at::equal(cache.get(w).vt, first.vt));
  CHECK(at::equal(persona::SafeTensors::open(files[0]).load("s"), first.s));  // mended
}

TEST_CASE("a folder that cannot be written to costs a warning and no result") {
  const persona::test::Folder folder;
  std::ofstream(folder / "file") << "in the way";
  std::string said;
  const auto before = persona::set_warning_handler([&](const std::string& text) { said = text; });
  const auto w = random({3, 4}, at::kFloat);
  CHECK(at::allclose(persona::SvdCache(folder / "file").get(w).product(), w, 1e-4, 1e-5));
  persona::set_warning_handler(before);
  CHECK_THAT(said, Catch::Contains("computed again"));
}
