#include "support/catch.hpp"
#include "support/folder.hpp"

#include "io/safetensors_cases.hpp"

#include <persona/io/safetensors.hpp>

#include <cmath>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <limits>
#include <map>
#include <string>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

namespace fs = std::filesystem;
using persona::SafeTensors;
using persona::Tensor;
using persona::test::Folder;

fs::path write(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return path;
}

/// What opening the file says; empty where it opens.
std::string said(const fs::path& path) {
  try {
    SafeTensors::open(path);
  } catch (const persona::Error& error) {
    return error.what();
  }
  return {};
}

/// Processor time, which neighbours on the machine do not lengthen.
double seconds_of(const auto& work) {
  const auto start = std::clock();
  work();
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

}  // namespace

TEST_CASE("a file that is not valid is refused with a sentence, a valid one is read") {
  const Folder folder;
  for (const auto& one : cases::all()) {
    const auto path = write(folder / "x.safetensors", one.bytes);
    INFO(one.name);
    std::string message;
    const double seconds = seconds_of([&] { message = said(path); });
    if (one.message.empty()) {
      CHECK(message.empty());
    } else {
      INFO("said: " << message);
      CHECK(message.find(one.message) != std::string::npos);
      CHECK(message.find(path.string()) != std::string::npos);
      CHECK(message.size() < path.string().size() + 500);
      CHECK(message.find('\0') == std::string::npos);
    }
    CHECK(seconds < 1.0);  // 50 ms on a quiet machine, sanitizers and neighbours allowed for
  }
}

// For the Python half of the comparison (safetensors_peer.py).
TEST_CASE("write the cases to PERSONA_CASES", "[.corpus]") {
  const char* folder = std::getenv("PERSONA_CASES");
  REQUIRE(folder);
  int number = 0;
  for (const auto& one : cases::all()) {
    const auto name = std::to_string(number++);
    write(fs::path(folder) / (name + ".safetensors"), one.bytes);
    write(fs::path(folder) / (name + ".txt"), (one.message.empty() ? "valid\n" : "refused\n") + one.name);
  }
}

TEST_CASE("every dtype makes the round trip, bit for bit") {
  const Folder folder;
  std::map<std::string, Tensor> tensors;
  const at::ScalarType types[] = {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong,
                                  at::kInt,    at::kShort, at::kChar, at::kByte,     at::kBool};
  for (const auto type : types)
    tensors[std::string("weights.") + c10::toString(type)] = (at::randn({3, 5}) * 10).to(type);
  tensors["scalar"] = at::full({}, 2.5, at::kFloat);
  tensors["nothing"] = at::empty({2, 0}, at::kFloat);
  tensors["name with \"quotes\", \\ and \n, \xC3\xA9"] = at::ones({1});
  tensors["transposed"] = at::randn({4, 3}).t();
  tensors["part"] = at::randn({6, 4}).slice(1, 1, 3);
  auto trained = at::randn({2});
  trained.set_requires_grad(true);
  tensors["trained"] = trained;
  const std::map<std::string, std::string> metadata{
      {"format", "pt"}, {"note", "tab\tand \"quotes\" \xF0\x9F\x98\x80"}, {"", ""}};
  const auto path = folder / "round.safetensors";
  persona::write_safetensors(path, tensors, metadata);

  const auto file = SafeTensors::open(path);
  CHECK(file.metadata() == metadata);
  REQUIRE(file.names().size() == tensors.size());
  for (const auto& [name, tensor] : tensors) {
    INFO(name);
    REQUIRE(file.contains(name));
    const auto loaded = file.load(name);
    CHECK(loaded.scalar_type() == tensor.scalar_type());
    CHECK(loaded.sizes() == tensor.sizes());
    CHECK(at::equal(loaded, tensor.detach()));
    CHECK_FALSE(loaded.requires_grad());
  }
  CHECK(file.info("scalar").shape.empty());
  CHECK(file.info("transposed").dtype == "F32");
}

TEST_CASE("what is written is laid out as the format asks") {
  const Folder folder;
  const auto path = folder / "a.safetensors";
  persona::write_safetensors(
      path, {{"b", at::ones({3}, at::kByte)}, {"a", at::ones({2}, at::kFloat)}, {"c", at::ones({1}, at::kLong)}});
  std::ifstream stream(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(stream)), {});
  const auto length = static_cast<std::size_t>(static_cast<unsigned char>(bytes[0]));
  CHECK(length % 8 == 0);
  CHECK(bytes[8] == '{');
  CHECK(bytes.size() == 8 + length + 8 + 8 + 3);
  const auto file = SafeTensors::open(path);
  CHECK(file.info("c").begin == 0);  // the widest first
  CHECK(file.info("a").begin == 8);
  CHECK(file.info("b").begin == 16);
  CHECK(file.metadata() == std::map<std::string, std::string>{{"format", "pt"}});
}

TEST_CASE("what has no place in the format is not written") {
  const Folder folder;
  const auto path = folder / "a.safetensors";
  CHECK_THROWS_WITH(persona::write_safetensors(path, {{"", at::ones({1})}}),
                    Catch::Contains("is no name for a tensor"));
  CHECK_THROWS_WITH(persona::write_safetensors(path, {{"__metadata__", at::ones({1})}}),
                    Catch::Contains("is no name for a tensor"));
  CHECK_THROWS_WITH(persona::write_safetensors(path, {{"\xFF", at::ones({1})}}),
                    Catch::Contains("is no name for a tensor"));
  CHECK_THROWS_WITH(persona::write_safetensors(path, {{"a", {}}}),
                    Catch::Contains("a: expected a tensor, got an undefined one"));
  CHECK_THROWS_WITH(persona::write_safetensors(path, {{"a", at::ones({1}, at::kComplexFloat)}}),
                    Catch::Contains("a: expected a dtype of the format, got ComplexFloat"));
  CHECK_THROWS_WITH(persona::write_safetensors(path, {}, {{"k", "\xFF"}}),
                    Catch::Contains("the metadata 'k' is not UTF-8"));
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("a dtype that tensors do not hold opens, and says so when it is asked for") {
  const Folder folder;
  const auto path =
      write(folder / "f8.safetensors", cases::file(cases::object(cases::tensor("a", "F8_E4M3", "[4]", "[0,4]") + "," +
                                                                 cases::tensor("b", "U8", "[1]", "[4,5]")),
                                                   cases::bytes(5)));
  const auto file = SafeTensors::open(path);
  CHECK_THROWS_WITH(
      file.load("a"),
      Catch::Contains("a: the dtype F8_E4M3 is the format's, but is not supported here") && Catch::Contains("BF16"));
  CHECK(file.load("b").item<int>() == 1);
}

TEST_CASE("a tensor that is not there is named") {
  const Folder folder;
  persona::write_safetensors(folder / "a.safetensors", {{"rows", at::ones({1})}});
  const auto file = SafeTensors::open(folder / "a.safetensors");
  CHECK_THROWS_WITH(file.load("row"), Catch::Contains("has no tensor 'row' (the first one is 'rows')"));
  CHECK_THROWS_WITH(file.info("row"), Catch::Contains("a.safetensors: has no tensor 'row'"));
}

TEST_CASE("NaN and infinity load, and validate_finite names the first") {
  const Folder folder;
  auto bad = at::ones({2, 3});
  bad[1][1] = std::numeric_limits<float>::infinity();
  bad[1][2] = std::nan("");
  persona::write_safetensors(folder / "a.safetensors",
                             {{"fine", at::ones({2})}, {"rows", bad}, {"ids", at::ones({2}, at::kLong)}});
  const auto file = SafeTensors::open(folder / "a.safetensors");
  CHECK(std::isinf(file.load("rows")[1][1].item<float>()));
  CHECK_THROWS_WITH(file.validate_finite(),
                    Catch::Contains("rows: 2 of 6 values are not finite, the first at index 4"));
  persona::write_safetensors(folder / "b.safetensors", {{"fine", at::ones({2})}});
  CHECK_NOTHROW(SafeTensors::open(folder / "b.safetensors").validate_finite());
}

TEST_CASE("other forms are known by their first bytes, whatever they are called") {
  const Folder folder;
  const auto path = folder / "model.safetensors";
  const auto expect = [&](const std::string& bytes, const char* message, const char* hint) {
    CHECK_THROWS_WITH(SafeTensors::open(write(path, bytes)), Catch::Contains(message) && Catch::Contains(hint));
  };
  const std::string zip("PK\3\4\0\0\b\b\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x12\0\0\0archive/data.pkl", 46);
  expect(zip, "is a zip archive, as Python's torch.save writes", "weights_only=True");
  expect(std::string("\x80\2}q\0.", 6), "is a Python pickle, which can run code", "safetensors.torch.save_file");
  expect(std::string("\x80\2\x8a\nl\xfc\x9c\x46\xf9 j\xa8P\x19.\x80\2M\xe9\3.", 20), "is a Python pickle",
         "weights_only=True");
  expect(std::string("\x80\4\x95\x0f\0\0\0\0\0\0\0}\x94\x8c\4name.", 20), "is a Python pickle", "weights_only=True");
  expect("GGUF" + cases::bytes(100), "is a GGUF file", "safetensors");
  expect("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n", "is a Git LFS pointer", "git lfs pull");
  expect("<!DOCTYPE html><html><body>404</body></html>", "is a web page", "needed a login");
  expect("\n<html>", "is a web page", "needed a login");
}

TEST_CASE("a header whose length begins as a pickle does is no pickle") {
  const Folder folder;
  // 0x0280 and 0x030480: the low bytes of these lengths are 80 02 and 80 04.
  for (const std::size_t length : {0x0280UL, 0x0380UL, 0x030480UL, 0x010580UL}) {
    const auto header = cases::object(cases::tensor("a", "F32", "[4]", "[0,16]"));
    const auto path = write(folder / "a.safetensors",
                            cases::file(header + std::string(length - header.size(), ' '), cases::bytes(16)));
    CHECK(said(path).empty());
  }
}

TEST_CASE("what is not a regular file is refused at once") {
  const Folder folder;
  CHECK_THROWS_WITH(SafeTensors::open(folder.path()), Catch::Contains("is not a regular file"));
  CHECK_THROWS_WITH(SafeTensors::open("/dev/zero"), Catch::Contains("/dev/zero: is not a regular file"));
  CHECK_THROWS_WITH(SafeTensors::open(folder / "none.safetensors"),
                    Catch::Contains("none.safetensors: cannot be opened: No such file"));
  const auto pipe = folder / "pipe.safetensors";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK_THROWS_WITH(SafeTensors::open(pipe), Catch::Contains("is not a regular file"));
  const auto loop = folder / "loop.safetensors";
  fs::create_symlink(loop, loop);
  CHECK_THROWS_WITH(SafeTensors::open(loop), Catch::Contains("cannot be opened: Too many levels of symbolic links"));
  const auto secret = write(folder / "secret.safetensors", "x");
  fs::permissions(secret, fs::perms::none);
  if (::geteuid() != 0)
    CHECK_THROWS_WITH(SafeTensors::open(secret), Catch::Contains("cannot be opened: Permission denied"));
}

TEST_CASE("a file that is cut after it was opened is an error, not a crash") {
  const Folder folder;
  const auto path = folder / "a.safetensors";
  persona::write_safetensors(path, {{"a", at::ones({1000})}, {"b", at::zeros({1000})}});
  const auto file = SafeTensors::open(path);
  fs::resize_file(path, fs::file_size(path) - 100);
  CHECK(file.load("a").sum().item<double>() == 1000);
  CHECK_THROWS_WITH(file.load("b"), Catch::Contains("b: the file ends 100 bytes early"));
}

TEST_CASE("a copy reads on after the file's name is gone") {
  const Folder folder;
  const auto path = folder / "a.safetensors";
  persona::write_safetensors(path, {{"a", at::ones({3})}});
  const auto copy = [&] { return SafeTensors::open(path); }();
  fs::remove(path);
  CHECK(copy.load("a").sum().item<double>() == 3);
}

TEST_CASE("huge headers take no more memory than they have bytes to show for, and little time") {
  const Folder folder;
  const auto path = folder / "a.safetensors";
  SECTION("a length that only a sparse file has") {
    write(path, cases::length_of(100'000'001));
    fs::resize_file(path, 200'000'000);
    CHECK_THROWS_WITH(SafeTensors::open(path), Catch::Contains("expected at most 100000000"));
  }
  SECTION("60 MB of spaces") {
    write(path,
          cases::file(cases::object(cases::tensor("a", "U8", "[1]", "[0,1]")) + std::string(60'000'000, ' '), "x"));
    double seconds = seconds_of([&] { CHECK(said(path).empty()); });
    CHECK(seconds < 10);
  }
  SECTION("very many tensors on one range") {
    std::string members;
    for (int i = 0; i < 100'000; ++i)
      members += (i ? "," : "") + cases::tensor("t" + std::to_string(i), "U8", "[1]", "[0,1]");
    write(path, cases::file(cases::object(members), "x"));
    CHECK_THROWS_WITH(SafeTensors::open(path), Catch::Contains("overlap another tensor"));
  }
  SECTION("a header that claims more data than the file has") {
    write(path, cases::file(cases::object(cases::tensor("a", "F32", "[1099511627776]", "[0,4398046511104]")),
                            cases::bytes(16)));
    rusage before{}, after{};
    ::getrusage(RUSAGE_SELF, &before);
    CHECK_THROWS_WITH(SafeTensors::open(path),
                      Catch::Contains("expected at least 4398046511104 bytes of data, have 16"));
    ::getrusage(RUSAGE_SELF, &after);
    CHECK(after.ru_maxrss - before.ru_maxrss < 10'000);  // KiB
  }
}

TEST_CASE("any change of one byte of a header is refused or read, never a crash") {
  const Folder folder;
  const auto path = folder / "a.safetensors";
  const auto whole =
      cases::file("{\"__metadata__\":{\"k\":\"\\u00e9v\"}," + cases::tensor("a", "F32", "[2,2]", "[0,16]") + "," +
                      cases::tensor("b", "BF16", "[]", "[16,18]") + "}",
                  cases::bytes(18));
  int read = 0, refused = 0;
  for (std::size_t i = 0; i < whole.size() - 18; ++i) {
    for (const char c : {'\0', '"', '\\', '}', ']', ',', '9', '\xC3'}) {
      auto bytes = whole;
      bytes[i] = c;
      (said(write(path, bytes)).empty() ? read : refused) += 1;
    }
    CHECK(!said(write(path, whole.substr(0, i))).empty());
  }
  CHECK(read > 20);
  CHECK(refused > 500);
}
