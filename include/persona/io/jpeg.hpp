#pragma once

#include <persona/core/error.hpp>
#include <persona/io/image.hpp>
#include <persona/io/image_format.hpp>
#include <persona/io/orientation.hpp>
#include <persona/io/read_file.hpp>

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

#include <jpeglib.h>

#include <jerror.h>

namespace persona {

namespace detail {

class JpegReader {
 public:
  JpegReader() {
    file_.err = jpeg_std_error(&errors_.base);
    errors_.base.error_exit = fail;
    errors_.base.emit_message = note;
  }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
  ~JpegReader() { jpeg_destroy_decompress(&file_); }

  const char* message() const { return errors_.text; }
  std::int64_t width() const { return file_.image_width; }
  std::int64_t height() const { return file_.image_height; }
  std::int64_t channels() const { return channels_; }

  bool read_header(std::span<const std::byte> bytes) {
    return calls([this, bytes] {
      jpeg_create_decompress(&file_);
      jpeg_mem_src(&file_, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
      jpeg_save_markers(&file_, JPEG_APP0 + 1, 0xffff);
      jpeg_read_header(&file_, TRUE);
    });
  }

  /// Grey and the usual colors become RGB, four inks stay four; false for others.
  bool choose_colors() {
    switch (file_.jpeg_color_space) {
      case JCS_GRAYSCALE:
      case JCS_RGB:
      case JCS_YCbCr:
        file_.out_color_space = JCS_RGB;
        return true;
      case JCS_CMYK:
      case JCS_YCCK:
        file_.out_color_space = JCS_CMYK;
        channels_ = 4;
        return true;
      default:
        return false;
    }
  }

  bool read_pixels(std::uint8_t* pixels) {
    return calls([this, pixels] {
      monitor_.progress_monitor = limit_scans;
      file_.progress = &monitor_;
      jpeg_start_decompress(&file_);
      const auto stride =
          static_cast<std::size_t>(file_.output_width) * static_cast<std::size_t>(file_.output_components);
      while (file_.output_scanline < file_.output_height) {
        JSAMPROW row = pixels + file_.output_scanline * stride;
        jpeg_read_scanlines(&file_, &row, 1);
      }
    });
  }

  int orientation() const {
    constexpr char exif[] = "Exif\0";  // and a second zero, its own
    for (auto* marker = file_.marker_list; marker; marker = marker->next)
      if (marker->data_length >= sizeof exif && std::memcmp(marker->data, exif, sizeof exif) == 0)
        return exif_orientation(std::as_bytes(std::span(marker->data, marker->data_length)).subspan(sizeof exif));
    return 1;
  }

 private:
  // libjpeg leaves by longjmp, so nothing on the way may need a destructor.
  struct Errors {
    jpeg_error_mgr base{};  // first: libjpeg knows this part alone
    std::jmp_buf back{};
    char text[JMSG_LENGTH_MAX] = "";
  };

  template <class F>
  bool calls(const F& body) {
    if (setjmp(errors_.back)) return false;
    body();
    return true;
  }

  static Errors& errors_of(j_common_ptr file) { return *reinterpret_cast<Errors*>(file->err); }
  [[noreturn]] static void fail(j_common_ptr file) {
    auto& errors = errors_of(file);
    errors.base.format_message(file, errors.text);
    std::longjmp(errors.back, 1);
  }
  // libjpeg goes on with grey where data is missing or garbled; a photo with a grey half teaches grey.
  static void note(j_common_ptr file, int level) {
    if (level >= 0) return;
    switch (file->err->msg_code) {
      case JWRN_ARITH_BAD_CODE:
      case JWRN_BOGUS_PROGRESSION:
      case JWRN_HIT_MARKER:
      case JWRN_HUFF_BAD_CODE:
      case JWRN_JPEG_EOF:
      case JWRN_MUST_RESYNC:
        fail(file);
      default:
        break;
    }
  }
  // A small file can ask for thousands of passes over a large picture; real ones have about ten.
  static void limit_scans(j_common_ptr file) {
    if (reinterpret_cast<j_decompress_ptr>(file)->input_scan_number <= 64) return;
    std::snprintf(errors_of(file).text, JMSG_LENGTH_MAX, "more than 64 scans");
    std::longjmp(errors_of(file).back, 1);
  }

  jpeg_decompress_struct file_{};
  jpeg_progress_mgr monitor_{};
  std::int64_t channels_ = 3;
  Errors errors_{};
};

// Adobe's four inks are stored inverted: 255 is none. (1 - ink) * (1 - black), rounded.
inline std::vector<std::uint8_t> rgb_of_inks(const std::vector<std::uint8_t>& inks) {
  std::vector<std::uint8_t> rgb;
  rgb.reserve(inks.size() / 4 * 3);
  for (std::size_t i = 0; i < inks.size(); i += 4)
    for (std::size_t c = 0; c < 3; ++c) {
      const int light = inks[i + 3];
      rgb.push_back(static_cast<std::uint8_t>(light - ((255 - inks[i + c]) * light + 127) / 255));
    }
  return rgb;
}

}  // namespace detail

/// A JPEG in memory as RGB: baseline or progressive; grey, color or four inks (as PIL converts them); the EXIF
/// orientation applied. `name` stands in errors: Error where it is damaged, truncated, larger than allowed or of other
/// colors.
inline Image decode_jpeg(std::span<const std::byte> bytes, const std::string& name = "JPEG",
                         const DecodeOptions& options = {}) {
  if (image_format(bytes) != "JPEG") throw Error(name, bytes.empty() ? "is empty" : "is not a JPEG");
  detail::JpegReader reader;
  const auto damaged = [&] { return Error(name, "is a damaged JPEG: " + std::string(reader.message())); };
  if (!reader.read_header(bytes)) throw damaged();
  Image image{.width = reader.width(), .height = reader.height()};
  detail::refuse_large(name, image.width, image.height, options);
  if (!reader.choose_colors()) throw Error(name, "has colors that are not read here", "save it as an RGB JPEG or PNG");
  std::vector<std::uint8_t> pixels(static_cast<std::size_t>(image.width * image.height * reader.channels()));
  if (!reader.read_pixels(pixels.data())) throw damaged();
  image.pixels = reader.channels() == 4 ? detail::rgb_of_inks(pixels) : std::move(pixels);
  return options.apply_orientation ? apply_orientation(std::move(image), reader.orientation()) : image;
}

/// decode_jpeg of a file.
inline Image read_jpeg(const std::filesystem::path& path, const DecodeOptions& options = {}) {
  return decode_jpeg(read_file(path), path.string(), options);
}

}  // namespace persona
