#include "support/catch.hpp"

#include <persona/core/hash.hpp>

#include <cmath>
#include <cstdint>
#include <set>
#include <string>

TEST_CASE("equal tensors have equal fingerprints, wherever their memory lies") {
  const auto x = at::randn({3, 5});
  CHECK(persona::hash_tensor(x) == persona::hash_tensor(x.clone()));
  CHECK(persona::hash_tensor(x) == persona::hash_tensor(x.t().contiguous().t()));
  CHECK(persona::hash_tensor(x, 1) == persona::hash_tensor(x, 1));
}

TEST_CASE("shape, dtype, values, their order and the seed all change a fingerprint") {
  const auto x = at::arange(12, at::kFloat).view({3, 4});
  auto bit = x.clone();
  bit[2][3] = std::nextafter(11.0F, 12.0F);
  const std::set<std::uint64_t> hashes{persona::hash_tensor(x),
                                       persona::hash_tensor(x.view({4, 3})),
                                       persona::hash_tensor(x.to(at::kInt)),
                                       persona::hash_tensor(x.to(at::kHalf)),
                                       persona::hash_tensor(x.flip({0})),
                                       persona::hash_tensor(x.slice(0, 0, 2)),
                                       persona::hash_tensor(bit),
                                       persona::hash_tensor(x, 1)};
  CHECK(hashes.size() == 8);
}

TEST_CASE("every byte counts, at every length") {
  std::set<std::uint64_t> hashes;
  std::size_t count = 0;
  for (std::size_t length = 0; length < 100; ++length) {
    const std::string zeros(length, '\0');
    hashes.insert(persona::hash_text(zeros));
    ++count;
    for (std::size_t i = 0; i < length; ++i) {
      auto text = zeros;
      text[i] = '\1';
      hashes.insert(persona::hash_text(text));
      ++count;
    }
  }
  CHECK(hashes.size() == count);
}
