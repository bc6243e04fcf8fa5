// LibTorch's Linux builds export a std::filesystem of their own, which crashes callers of a newer one: the build puts
// the system's first.
#include "support/catch.hpp"
#include "support/folder.hpp"

#include <filesystem>
#include <fstream>

#ifdef __GLIBCXX__
#include <dlfcn.h>

TEST_CASE("std::filesystem is the system's, not LibTorch's") {
  std::uintmax_t (*remove_all)(const std::filesystem::path&) = &std::filesystem::remove_all;
  Dl_info found{};
  REQUIRE(::dladdr(reinterpret_cast<void*>(remove_all), &found) != 0);
  INFO(found.dli_fname);
  CHECK(std::string_view(found.dli_fname).find("torch") == std::string_view::npos);
}
#endif

TEST_CASE("a folder and what is in it can be removed") {
  const persona::test::Folder folder;
  std::filesystem::create_directories(folder / "a" / "b");
  std::ofstream(folder / "a" / "file") << "x";
  CHECK(std::filesystem::remove_all(folder / "a") == 3);
}
