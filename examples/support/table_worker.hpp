#pragma once
// Workers that go through a list of tasks, one thread each, under one progress bar.

#include <persona/core/error.hpp>
#include <persona/train/progress.hpp>

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace tables {

/// Something to compute that counts `steps` ticks.
struct Work {
  std::string name{};
  std::int64_t steps = 0;
  std::function<void(const std::function<void()>& tick)> act{};
  std::function<void(const std::string& why)> failed{};  ///< notes that it diverged
};

/// Whether a run diverged, which is a result of its setting; any other error says nothing of it.
inline bool diverged(const std::exception& error) {
  const auto* said = dynamic_cast<const persona::Error*>(&error);
  const std::string_view what = error.what();
  return said && (said->where() == "personalize" || said->where() == "to_images") &&
         (what.find("not finite") != what.npos || what.find("not numbers") != what.npos);
}

inline void longest_first(std::vector<Work>& list) { std::ranges::stable_sort(list, std::greater{}, &Work::steps); }

/// Works the list off, longest first. A run that diverges is noted; any other error, such as a full disk, ends it all.
inline void work_through(std::vector<Work> list, long threads, const std::string& label) {
  if (list.empty()) return;
  longest_first(list);
  std::int64_t total = 0, done = 0;
  for (const Work& work : list) total += work.steps;
  persona::ProgressBar bar(label);
  std::mutex mutex;
  std::size_t next = 0;
  std::exception_ptr failure;
  const auto worker = [&] {
    at::set_num_threads(1);
    for (;;) {
      const Work* work = nullptr;
      {
        const std::lock_guard lock(mutex);
        if (next == list.size() || failure) return;
        work = &list[next++];
      }
      try {
        try {
          work->act([&] {
            const std::lock_guard lock(mutex);
            bar.update(++done, total, [&] { return work->name; });
          });
        } catch (const std::exception& error) {
          std::fprintf(stderr, "%s: %s\n", work->name.c_str(), error.what());
          if (!diverged(error)) throw;
          work->failed(error.what());
        }
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!failure) failure = std::current_exception();
        return;
      }
    }
  };
  {
    std::vector<std::jthread> workers;
    for (long i = 0; i < threads; ++i) workers.emplace_back(worker);
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace tables
