#pragma once

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

namespace bench {

inline double seconds(auto&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

inline double median(std::vector<double> values) {
  std::ranges::sort(values);
  const auto n = values.size();
  return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/// Times of two ways to do the same, taken in turn, so that what else the machine does falls on both.
struct Pairs {
  std::vector<double> a{}, b{};

  /// Times `n` pairs; who goes first alternates, since the caches are warmer for the second.
  static Pairs in_turn(std::int64_t n, auto&& first, auto&& second) {
    Pairs times;
    for (std::int64_t i = 0; i < n; ++i) {
      double x = 0, y = 0;
      if (i % 2 == 0)
        x = seconds(first), y = seconds(second);
      else
        y = seconds(second), x = seconds(first);
      times.add(x, y);
    }
    return times;
  }
  void add(double first, double second) {
    a.push_back(first);
    b.push_back(second);
  }
  /// The median of b / a and its 95 % interval by the bootstrap (fixed seed).
  void print(const std::string& what, const std::string& name_a, const std::string& name_b) const {
    std::vector<double> ratios;
    for (std::size_t i = 0; i < a.size(); ++i) ratios.push_back(b[i] / a[i]);
    std::mt19937 generator(1);
    std::vector<double> medians;
    for (int i = 0; i < 2000; ++i) {
      std::vector<double> sample;
      for (std::size_t k = 0; k < ratios.size(); ++k) sample.push_back(ratios[generator() % ratios.size()]);
      medians.push_back(median(std::move(sample)));
    }
    std::ranges::sort(medians);
    std::printf("%s: %s %.4f s, %s %.4f s, ratio %.3f (95 %%: %.3f to %.3f, %zu pairs)\n", what.c_str(), name_a.c_str(),
                median(a), name_b.c_str(), median(b), median(ratios), medians[medians.size() / 40],
                medians[medians.size() - 1 - medians.size() / 40], ratios.size());
    std::fflush(stdout);
  }
};

}  // namespace bench
