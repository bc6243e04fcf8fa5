#pragma once
// Photos and pictures: what needs libpng and libjpeg, and what is drawn with it.

#include <persona/data/crop.hpp>
#include <persona/data/grid.hpp>
#include <persona/data/image.hpp>
#include <persona/data/read_photos.hpp>
#include <persona/data/resize.hpp>
#include <persona/io/jpeg.hpp>
#include <persona/io/png.hpp>
#include <persona/io/read_image.hpp>
#include <persona/io/report.hpp>
