#include "support/catch.hpp"
#include "support/folder.hpp"

#include <persona/io/atomic_file.hpp>
#include <persona/io/safetensors.hpp>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <string>
#include <thread>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace {

namespace fs = std::filesystem;
using persona::test::Folder;

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
std::set<std::string> names(const fs::path& folder) {
  std::set<std::string> set;
  for (const auto& entry : fs::directory_iterator(folder)) set.insert(entry.path().filename().string());
  return set;
}

/// Runs `work` in a process of its own; true where it ends well.
template <class Work>
bool in_child(const Work& work) {
  const auto child = ::fork();
  if (child == 0) {
    bool well = true;
    try {
      work();
    } catch (...) {
      well = false;
    }
    ::_exit(well ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

TEST_CASE("a file is written whole, over an older one too, and leaves nothing beside it") {
  const Folder folder;
  persona::write_file_atomically(folder / "a.txt", std::string("first"));
  persona::write_file_atomically(folder / "a.txt", std::string("second, longer"));
  CHECK(content(folder / "a.txt") == "second, longer");
  CHECK(names(folder.path()) == std::set<std::string>{"a.txt"});
  const auto permissions = fs::status(folder / "a.txt").permissions();
  CHECK((permissions & fs::perms::owner_read) != fs::perms::none);
  CHECK((permissions & fs::perms::others_write) == fs::perms::none);
}

TEST_CASE("a file in the folder where one stands, named without a folder") {
  const Folder folder;
  const auto before = fs::current_path();
  fs::current_path(folder.path());
  persona::write_file_atomically("a.txt", std::string("x"));
  persona::write_directory_atomically("out/", [](const fs::path& fresh) { std::ofstream(fresh / "a") << "1"; });
  fs::current_path(before);
  CHECK(content(folder / "a.txt") == "x");
  CHECK(content(folder / "out/a") == "1");
}

TEST_CASE("a file that cannot be written names itself, and the older one stays") {
  const Folder folder;
  CHECK_THROWS_WITH(persona::write_file_atomically(folder / "none/a.txt", std::string("x")),
                    Catch::Contains("none/a.txt: cannot be written: No such file or directory") &&
                        Catch::Contains("is the folder there"));
  fs::create_directory(folder / "a.txt");
  std::ofstream(folder / "a.txt/inside") << "x";
  CHECK_THROWS_WITH(persona::write_file_atomically(folder / "a.txt", std::string("x")),
                    Catch::Contains("a.txt: cannot be written: Is a directory"));
  CHECK(names(folder.path()) == std::set<std::string>{"a.txt"});
}

TEST_CASE("where room ends while a file is written, the older file stays and nothing is left beside it") {
  const Folder folder;
  const auto path = folder / "a.safetensors";
  persona::write_safetensors(path, {{"a", at::ones({100})}});
  const bool well = in_child([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{10'000, 10'000};
    ::setrlimit(RLIMIT_FSIZE, &small);
    bool refused = false;
    try {
      persona::write_safetensors(path, {{"a", at::ones({100'000})}});
    } catch (const persona::Error& error) {
      refused = std::string(error.what()).find("cannot be written: File too large") != std::string::npos;
    }
    if (!refused) throw 1;
  });
  CHECK(well);
  CHECK(persona::SafeTensors::open(path).load("a").numel() == 100);
  CHECK(names(folder.path()) == std::set<std::string>{"a.safetensors"});
}

TEST_CASE("a full disk says how much is needed and how much is free", "[full]") {
  CHECK_THROWS_WITH(persona::detail::fail_write("out/a.bin", 12345, ENOSPC),
                    Catch::Contains("out/a.bin: cannot be written: No space left on device") &&
                        Catch::Contains("it needs 12345 bytes") && Catch::Contains("make room and try again"));
  // The one device that is always full; the kernel says so on the first write.
  const persona::detail::Descriptor full(::open("/dev/full", O_WRONLY));
  if (full.get() >= 0) {
    const auto byte = std::byte{1};
    CHECK_THROWS_WITH(persona::detail::write_all(full.get(), {&byte, 1}, "a.bin", 7),
                      Catch::Contains("No space left on device") && Catch::Contains("it needs 7 bytes"));
  }
}

TEST_CASE("a folder is written whole, over an older one too, and leaves nothing beside it") {
  const Folder folder;
  const auto target = folder / "deep/er/out";
  persona::write_directory_atomically(target, [](const fs::path& fresh) {
    std::ofstream(fresh / "a") << "1";
    fs::create_directory(fresh / "sub");
    std::ofstream(fresh / "sub/b") << "2";
  });
  CHECK(content(target / "sub/b") == "2");
  persona::write_directory_atomically(target, [&](const fs::path& fresh) {
    CHECK(content(target / "a") == "1");  // the older one is there while the new one is made
    std::ofstream(fresh / "c") << "3";
  });
  CHECK(names(target) == std::set<std::string>{"c"});
  CHECK(names(folder / "deep/er") == std::set<std::string>{"out"});
}

TEST_CASE("a folder that fails half way is not there, and the older one stays") {
  const Folder folder;
  const auto target = folder / "out";
  const auto fail = [](const fs::path& fresh) {
    std::ofstream(fresh / "half") << "1";
    throw persona::Error("test", "half way");
  };
  CHECK_THROWS_WITH(persona::write_directory_atomically(target, fail), Catch::Contains("half way"));
  CHECK(names(folder.path()).empty());
  persona::write_directory_atomically(target, [](const fs::path& fresh) { std::ofstream(fresh / "a") << "1"; });
  CHECK_THROWS_WITH(persona::write_directory_atomically(target, fail), Catch::Contains("half way"));
  CHECK(names(target) == std::set<std::string>{"a"});
  CHECK(names(folder.path()) == std::set<std::string>{"out"});
  std::ofstream(folder / "file") << "x";
  CHECK_THROWS_WITH(persona::write_directory_atomically(folder / "file", fail),
                    Catch::Contains("file: expected a folder, found a file"));
}

TEST_CASE("a process killed at any moment leaves an older or a newer folder, whole") {
  const Folder folder;
  const auto target = folder / "out";
  const auto write = [&](int i) {
    persona::write_directory_atomically(target, [&](const fs::path& fresh) {
      for (const char* name : {"a", "b", "c"}) persona::write_file_atomically(fresh / name, std::to_string(i));
    });
  };
  const auto start = std::chrono::steady_clock::now();
  for (const int i : {0, 0}) write(i);
  const auto each = (std::chrono::steady_clock::now() - start) / 2;
  int last = 0;
  for (int round = 0; round < 24; ++round) {
    int pipe[2];
    REQUIRE(::pipe(pipe) == 0);
    const auto child = ::fork();
    if (child == 0) {
      for (int i = last + 1;; ++i) {
        write(i);
        if (::write(pipe[1], "x", 1) != 1) ::_exit(1);
      }
    }
    char done = 0;
    REQUIRE(::read(pipe[0], &done, 1) == 1);  // one is complete, the next one is cut
    std::this_thread::sleep_for(each * round / 24);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(pipe[0]);
    ::close(pipe[1]);
    REQUIRE(names(target) == std::set<std::string>{"a", "b", "c"});
    const auto a = content(target / "a");
    REQUIRE_FALSE(a.empty());
    REQUIRE(a == content(target / "b"));
    REQUIRE(a == content(target / "c"));
    REQUIRE(std::stoi(a) > last);
    last = std::stoi(a);
  }
}
