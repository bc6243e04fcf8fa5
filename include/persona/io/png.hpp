#pragma once

#include <persona/core/error.hpp>
#include <persona/io/atomic_file.hpp>
#include <persona/io/image.hpp>
#include <persona/io/image_format.hpp>
#include <persona/io/orientation.hpp>
#include <persona/io/read_file.hpp>

#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <png.h>

namespace persona {

namespace detail {

// What libpng said last. It leaves by longjmp, so nothing on the way may need a destructor: hence no std::string.
struct PngMessage {
  char text[160] = "";
  [[noreturn]] static void fail(png_structp png, png_const_charp said) {
    auto* message = static_cast<PngMessage*>(png_get_error_ptr(png));
    std::snprintf(message->text, sizeof message->text, "%s", said);
    png_longjmp(png, 1);
  }
  static void ignore(png_structp, png_const_charp) {}
};

/// Runs calls of libpng; false where one of them failed. What `calls` declares must not need a destructor.
template <class F>
bool png_calls(png_structp png, const F& calls) {
  if (setjmp(png_jmpbuf(png))) return false;
  calls();
  return true;
}

class PngReader {
 public:
  explicit PngReader(std::span<const std::byte> bytes) : bytes_(bytes) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, &message_, PngMessage::fail, PngMessage::ignore);
    if (png_) info_ = png_create_info_struct(png_);
  }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }

  const char* message() const { return message_.text; }
  std::int64_t width() const { return png_get_image_width(png_, info_); }
  std::int64_t height() const { return png_get_image_height(png_, info_); }
  std::int64_t bits_per_pixel() const { return png_get_bit_depth(png_, info_) * png_get_channels(png_, info_); }

  bool read_header() {
    return png_ && info_ && png_calls(png_, [this] {
             png_set_read_fn(png_, this, read);
             png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);  // the caller has a limit of its own
             png_set_crc_action(png_, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
             // Of the chunks that a picture can do without, only EXIF is looked at: no text is unpacked, no profile
             // parsed.
             png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
#ifdef PNG_eXIf_SUPPORTED
             const png_byte exif[] = "eXIf";
             png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_AS_DEFAULT, exif, 1);
#endif
             png_read_info(png_, info_);
           });
  }

  /// RGB rows, or RGBA rows with `alpha`, into height * width * (3 or 4) values.
  bool read_pixels(std::uint8_t* pixels, bool alpha) {
    return png_calls(png_, [this, pixels, alpha] {
      png_set_expand(png_);    // palettes, fewer than 8 bits, a transparent color
      png_set_strip_16(png_);  // the high byte
      png_set_gray_to_rgb(png_);
      if (alpha)
        png_set_add_alpha(png_, 0xff, PNG_FILLER_AFTER);
      else
        png_set_strip_alpha(png_);
      const int passes = png_set_interlace_handling(png_);
      png_read_update_info(png_, info_);
      const std::size_t row = png_get_rowbytes(png_, info_);
      if (row != static_cast<std::size_t>(width()) * (alpha ? 4 : 3))
        png_error(png_, "its rows have an unexpected length");
      for (int pass = 0; pass < passes; ++pass)
        for (std::int64_t y = 0; y < height(); ++y)
          png_read_row(png_, pixels + static_cast<std::size_t>(y) * row, nullptr);
      png_read_end(png_, info_);
    });
  }

  int orientation() const {
#ifdef PNG_eXIf_SUPPORTED
    png_uint_32 size = 0;
    png_bytep exif = nullptr;
    if (png_get_eXIf_1(png_, info_, &size, &exif) & PNG_INFO_eXIf)
      return exif_orientation(std::as_bytes(std::span(exif, size)));
#endif
    return 1;
  }

 private:
  static void read(png_structp png, png_bytep out, std::size_t count) {
    auto& self = *static_cast<PngReader*>(png_get_io_ptr(png));
    if (self.bytes_.size() < count) png_error(png, "the file ends too early");
    std::memcpy(out, self.bytes_.data(), count);
    self.bytes_ = self.bytes_.subspan(count);
  }

  std::span<const std::byte> bytes_;
  PngMessage message_{};
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
};

inline std::vector<std::uint8_t> over_background(const std::vector<std::uint8_t>& rgba,
                                                 const std::array<std::uint8_t, 3>& background) {
  std::vector<std::uint8_t> rgb;
  rgb.reserve(rgba.size() / 4 * 3);
  for (std::size_t i = 0; i < rgba.size(); i += 4)
    for (std::size_t c = 0; c < 3; ++c)
      rgb.push_back(
          static_cast<std::uint8_t>((rgba[i + c] * rgba[i + 3] + background[c] * (255 - rgba[i + 3]) + 127) / 255));
  return rgb;
}

}  // namespace detail

/// A PNG in memory as RGB: palettes and greys are spread out, 16 bits cut to the high 8, interlaced rows put together,
/// the first frame of an animation taken, the EXIF orientation applied. `name` stands in errors: Error where it is
/// damaged, truncated or larger than allowed.
inline Image decode_png(std::span<const std::byte> bytes, const std::string& name = "PNG",
                        const DecodeOptions& options = {}) {
  if (image_format(bytes) != "PNG") throw Error(name, bytes.empty() ? "is empty" : "is not a PNG");
  detail::PngReader reader(bytes);
  const auto damaged = [&] { return Error(name, "is a damaged PNG: " + std::string(reader.message())); };
  if (!reader.read_header()) throw damaged();
  Image image{.width = reader.width(), .height = reader.height()};
  detail::refuse_large(name, image.width, image.height, options);
  // Deflate packs at most 1032 to 1: what the file cannot hold is not allocated either.
  if ((image.width * reader.bits_per_pixel() + 7) / 8 * image.height > static_cast<std::int64_t>(bytes.size()) * 1040)
    throw Error(name,
                "declares " + std::to_string(image.width) + " x " + std::to_string(image.height) + " pixels, which " +
                    std::to_string(bytes.size()) + " bytes cannot hold",
                "is it cut off?");
  const auto count = static_cast<std::size_t>(image.width * image.height);
  if (options.background) {
    std::vector<std::uint8_t> rgba(count * 4);
    if (!reader.read_pixels(rgba.data(), true)) throw damaged();
    image.pixels = detail::over_background(rgba, *options.background);
  } else {
    image.pixels.resize(count * 3);
    if (!reader.read_pixels(image.pixels.data(), false)) throw damaged();
  }
  return options.apply_orientation ? apply_orientation(std::move(image), reader.orientation()) : image;
}

/// decode_png of a file.
inline Image read_png(const std::filesystem::path& path, const DecodeOptions& options = {}) {
  return decode_png(read_file(path), path.string(), options);
}

/// The picture as a PNG in memory.
inline std::vector<std::byte> encode_png(const Image& image) {
  image.check();
  struct Writer {
    detail::PngMessage message{};
    std::vector<std::byte> bytes{};
    png_structp png = nullptr;
    png_infop info = nullptr;
    ~Writer() { png_destroy_write_struct(&png, &info); }
    static void write(png_structp png, png_bytep data, std::size_t count) {
      auto& bytes = static_cast<Writer*>(png_get_io_ptr(png))->bytes;
      bool kept = true;
      try {
        bytes.insert(bytes.end(), reinterpret_cast<std::byte*>(data), reinterpret_cast<std::byte*>(data) + count);
      } catch (...) {
        kept = false;  // no exception may cross libpng
      }
      if (!kept) png_error(png, "out of memory");
    }
  } writer;
  writer.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &writer.message, detail::PngMessage::fail,
                                       detail::PngMessage::ignore);
  if (writer.png) writer.info = png_create_info_struct(writer.png);
  const auto stride = image.width * 3;
  const bool written = writer.info && detail::png_calls(writer.png, [&] {
                         png_set_write_fn(writer.png, &writer, Writer::write, nullptr);
                         png_set_user_limits(writer.png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
                         png_set_IHDR(writer.png, writer.info, static_cast<png_uint_32>(image.width),
                                      static_cast<png_uint_32>(image.height), 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                                      PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
                         png_write_info(writer.png, writer.info);
                         for (std::int64_t y = 0; y < image.height; ++y)
                           png_write_row(writer.png, image.pixels.data() + y * stride);
                         png_write_end(writer.png, writer.info);
                       });
  if (!written) throw Error("encode_png", writer.message.text);
  return std::move(writer.bytes);
}

/// Writes the picture as a PNG, whole or not at all; throws Error naming the file.
inline void write_png(const Image& image, const std::filesystem::path& path) {
  write_file_atomically(path, encode_png(image));
}

}  // namespace persona
